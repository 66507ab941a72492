//! Runs native tools, confined; knows nothing of packages.
