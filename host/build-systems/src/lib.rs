//! What autotools, CMake and plain make are told: plans as pure functions.
