//! Build events and where they go: Spackmon, disk, JSON lines.
