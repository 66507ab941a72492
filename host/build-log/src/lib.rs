//! Build logs: the first real error and its context.
