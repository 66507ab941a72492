//! Harness of the end-to-end tests: runs the binary as a user would.
