//! The sandbox's executor: lays the walls, then runs what it is sent.

fn main() {}
