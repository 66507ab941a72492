use std::os::fd::AsRawFd;

use super::*;
use crate::channel::{Channel, Style};

fn open(budget: &Budget) -> Channel {
    try_open(budget).unwrap()
}

fn try_open(budget: &Budget) -> Result<Channel, JobserverError> {
    Channel::open(budget.try_acquire(1).unwrap(), Style::Pipe)
}

/// Takes up to `count` tokens as a make would, but without waiting.
fn take(channel: &Channel, count: usize) -> usize {
    let (read, _) = channel.descriptors();
    let unread = unread(channel);
    match count.min(unread) {
        0 => 0,
        count => rustix::io::read(read, &mut vec![0; count]).unwrap(),
    }
}

fn give(channel: &Channel, count: usize) {
    let (_, write) = channel.descriptors();
    assert_eq!(rustix::io::write(write, &vec![b'+'; count]).unwrap(), count);
}

fn unread(channel: &Channel) -> usize {
    let (read, _) = channel.descriptors();
    usize::try_from(rustix::io::ioctl_fionread(read).unwrap()).unwrap()
}

#[test]
fn a_lone_build_gets_all_tokens_but_its_implicit_one() {
    let budget = Budget::new(8);
    let channel = open(&budget);
    assert_eq!(unread(&channel), 7);
    assert_eq!(take(&channel, 3), 3);
    assert_eq!(channel.in_use().unwrap(), 3);
}

#[test]
fn a_second_build_gets_half_of_what_is_unread() {
    let budget = Budget::new(8);
    let first = open(&budget);
    let second = open(&budget);
    assert_eq!((unread(&first), unread(&second)), (3, 3));
}

#[test]
fn no_build_starts_without_a_token() {
    let budget = Budget::new(1);
    let first = open(&budget);
    assert!(matches!(try_open(&budget), Err(JobserverError::NoToken)));
    drop(first);
    open(&budget);
}

#[test]
fn a_token_that_lies_unread_lets_a_build_start() {
    let budget = Budget::new(3);
    let first = open(&budget);
    assert_eq!(take(&first, 1), 1);
    let second = open(&budget);
    assert_eq!((unread(&first), unread(&second)), (0, 0));
    give(&first, 1);
    budget.rebalance().unwrap();
    assert_eq!((unread(&first), unread(&second)), (0, 1));
}

#[test]
fn idle_tokens_go_where_none_are() {
    let budget = Budget::new(8);
    let (idle, busy) = (open(&budget), open(&budget));
    assert_eq!(take(&busy, 3), 3);
    budget.rebalance().unwrap();
    assert_eq!((unread(&idle), unread(&busy)), (1, 2));
    assert_eq!(take(&busy, 2), 2);
    budget.rebalance().unwrap();
    assert_eq!((unread(&idle), unread(&busy)), (0, 1));
}

#[test]
fn without_want_nothing_moves() {
    let budget = Budget::new(9);
    let (first, second) = (open(&budget), open(&budget));
    let before = (unread(&first), unread(&second));
    budget.rebalance().unwrap();
    assert_eq!((unread(&first), unread(&second)), before);
    assert_eq!(before.0 + before.1, 7);
}

#[test]
fn a_finished_build_leaves_its_tokens_to_the_others() {
    let budget = Budget::new(4);
    let first = open(&budget);
    assert_eq!(take(&first, 3), 3);
    assert_eq!(first.settle().unwrap(), Settlement { missing: 3, ..Settlement::default() });
    drop(first);
    assert_eq!(unread(&open(&budget)), 3);
}

#[test]
fn forged_tokens_reach_nobody() {
    let budget = Budget::new(4);
    let (forger, other) = (open(&budget), open(&budget));
    give(&forger, 10);
    budget.rebalance().unwrap();
    assert_eq!((unread(&forger), unread(&other)), (0, 2));
    give(&forger, 1);
    budget.rebalance().unwrap();
    assert_eq!((unread(&forger), unread(&other)), (0, 2));
    assert_eq!(forger.settle().unwrap().forged, 11);
    drop(forger);
    assert_eq!(unread(&other), 3);
}

#[test]
fn a_hoarder_loses_what_it_has_no_process_for() {
    let budget = Budget::new(6);
    let hoarder = open(&budget);
    assert_eq!(take(&hoarder, 5), 5);
    assert!(matches!(try_open(&budget), Err(JobserverError::NoToken)));
    assert_eq!(hoarder.write_off_beyond(2).unwrap(), 3);
    // What is free lies in the hoarder's channel, from where a new build takes its share.
    let other = open(&budget);
    assert_eq!((unread(&hoarder), unread(&other)), (1, 1));
    give(&hoarder, 5);
    budget.rebalance().unwrap();
    assert_eq!(hoarder.settle().unwrap(), Settlement::default());
    drop(hoarder);
    assert_eq!(unread(&other), 5);
}

#[test]
fn tools_without_a_client_get_a_fixed_number() {
    let budget = Budget::new(6);
    let channel = open(&budget);
    let lease = budget.try_acquire(3).unwrap();
    assert_eq!((lease.count(), unread(&channel)), (3, 2));
    let more = budget.try_acquire(9).unwrap();
    assert_eq!((more.count(), unread(&channel)), (2, 0));
    drop((lease, more));
    assert_eq!(unread(&channel), 5);
}

#[test]
fn a_tool_without_a_client_gets_its_builds_share() {
    let budget = Budget::new(8);
    let alone = open(&budget);
    let lease = budget.try_acquire_share().unwrap();
    assert_eq!((lease.count(), unread(&alone)), (7, 0));
    drop(lease);
    let other = open(&budget);
    let lease = budget.try_acquire_share().unwrap();
    assert_eq!((lease.count(), unread(&alone) + unread(&other)), (3, 3));
    // The other build's tool finds as many.
    let second = budget.try_acquire_share().unwrap();
    assert_eq!((second.count(), unread(&alone) + unread(&other)), (3, 0));
    drop((lease, second));
    assert_eq!(unread(&alone) + unread(&other), 6);
}

#[test]
fn more_builds_than_jobs_leave_no_share() {
    let budget = Budget::new(2);
    let builds = [open(&budget), open(&budget)];
    assert_eq!(budget.try_acquire_share().unwrap().count(), 0);
    drop(builds);
    assert_eq!(budget.try_acquire_share().unwrap().count(), 1);
}

#[test]
fn an_outer_makes_tokens_are_not_kept() {
    let (read, write) = rustix::pipe::pipe().unwrap();
    rustix::io::write(&write, b"+++++").unwrap();
    let waiting = || rustix::io::ioctl_fionread(&read).unwrap();
    let flags = format!("-j6 --jobserver-auth={},{}", read.as_raw_fd(), write.as_raw_fd());
    let budget = Budget::join(&flags, 6).unwrap().unwrap();
    // The implicit token costs the outer make nothing; one more lies ready.
    let channel = open(&budget);
    assert_eq!((unread(&channel), waiting()), (1, 4));
    assert_eq!(take(&channel, 1), 1);
    budget.rebalance().unwrap();
    assert_eq!((unread(&channel), waiting()), (1, 3));
    give(&channel, 1);
    budget.rebalance().unwrap();
    assert_eq!((unread(&channel), waiting()), (1, 4));
    drop(channel);
    assert_eq!(waiting(), 5);
    assert!(Budget::join("-j4", 4).unwrap().is_none());
}
