//! The scheduler and the life of one build.
