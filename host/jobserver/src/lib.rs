//! One job budget for all builds: a GNU make jobserver channel for each.
