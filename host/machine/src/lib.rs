//! Facts of this machine: platform, operating system, target, compilers and external tools.
