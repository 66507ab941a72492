//! For build scripts: builds a workspace package for another target, in a target folder of its own.
