//! How the tools of one build share the run's job budget: which of them reads what from the job server, and what those get
//! that read nothing.

use std::ffi::OsStr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use spack_wasm_jobserver::{Budget, Channel, Client, InsideDescriptors, JobserverError, Lease, MakeVersion};
use spack_wasm_recipe_host::types::Command as Planned;
use spack_wasm_sandbox::Command;
use spack_wasm_spec::{Dag, Node};

use crate::environment::Environment;

/// Under which numbers tools get the job server's descriptors: far from those that shells and configure scripts use.
const DESCRIPTORS: InsideDescriptors = InsideDescriptors { read: 198, write: 199 };

/// The first ninja that reads a job server.
const NINJA_CLIENT: (u32, u32) = (1, 13);

/// The tools of a build that run jobs, as far as their versions are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clients {
    make: Option<MakeVersion>,
    /// The first two numbers of its version.
    ninja: Option<(u32, u32)>,
}

/// How a tool learns how many jobs it may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// It reads a job server.
    Client(Client),
    /// It is given a number as its first argument.
    Argument,
    /// It is given a number in a variable.
    Variable(&'static str),
}

impl Clients {
    /// Those among a node's dependencies.
    pub(crate) fn of(dag: &Dag, node: &Node) -> Self {
        let version = |name: &str| {
            let edge = node.dependencies.iter().find(|edge| edge.name == name)?;
            MakeVersion::parse(dag.dependency(edge)?.facts.version.as_str())
        };
        let ninja = version("ninja").map(|MakeVersion { major, minor }| (major, minor));
        Self { make: version("gmake"), ninja }
    }

    /// Whether one of them wants a path instead of descriptors.
    pub(crate) fn want_fifo(self) -> bool {
        self.make.is_some_and(MakeVersion::reads_fifo) || self.ninja_is_client()
    }

    fn ninja_is_client(self) -> bool {
        self.ninja.is_some_and(|version| version >= NINJA_CLIENT)
    }

    fn manner(self, planned: &Planned) -> Manner {
        // Every make reads descriptors, so an unknown one is taken for an old one.
        let version = self.make.unwrap_or(MakeVersion { major: 4, minor: 2 });
        let make = Manner::Client(Client::Make { version, inside: DESCRIPTORS });
        let ninja = |other| if self.ninja_is_client() { Manner::Client(Client::Ninja) } else { other };
        match Path::new(&planned.program).file_name().and_then(OsStr::to_str) {
            Some("ctest") => Manner::Argument,
            Some("ninja" | "ninja-build") => ninja(Manner::Argument),
            // It starts what it has written files for.
            Some("cmake") if planned.arguments.first().is_some_and(|first| first == "--build") => {
                match (self.make, self.ninja) {
                    (None, Some(_)) => ninja(Manner::Variable("CMAKE_BUILD_PARALLEL_LEVEL")),
                    _ => make,
                }
            }
            _ => make,
        }
    }
}

/// A build's part of the budget.
#[derive(Clone)]
pub(crate) struct Jobs {
    pub(crate) channel: Arc<Channel>,
    pub(crate) budget: Budget,
    pub(crate) clients: Clients,
}

impl Jobs {
    /// Tells a tool how many jobs it may run. What is returned is held until the tool has ended.
    pub(crate) fn equip(
        &self,
        planned: &Planned,
        command: &mut Command,
        environment: &mut Environment,
    ) -> Result<Option<Lease>, JobsError> {
        let manner = self.clients.manner(planned);
        if !planned.parallel {
            // Left alone it would take all processors.
            match manner {
                Manner::Client(Client::Make { .. }) => {}
                Manner::Client(Client::Ninja) | Manner::Argument => command.argv.insert(1, "-j1".into()),
                Manner::Variable(name) => environment.set(name, "1"),
            }
            return Ok(None);
        }
        match manner {
            Manner::Client(client) => {
                if self.channel.needs_descriptors(client) {
                    command.extra_fds = self.descriptors()?;
                }
                environment.set("MAKEFLAGS", self.channel.makeflags(client)?);
                Ok(None)
            }
            Manner::Argument => {
                let lease = self.budget.try_acquire_share()?;
                command.argv.insert(1, format!("-j{}", jobs(&lease)).into());
                Ok(Some(lease))
            }
            Manner::Variable(name) => {
                let lease = self.budget.try_acquire_share()?;
                environment.set(name, jobs(&lease).to_string());
                Ok(Some(lease))
            }
        }
    }

    /// The job server's descriptors, for one command.
    fn descriptors(&self) -> Result<Vec<(i32, OwnedFd)>, JobsError> {
        let (read, write) = self.channel.descriptors();
        let own = |number, fd: BorrowedFd<'_>| Ok((number, fd.try_clone_to_owned()?));
        [own(DESCRIPTORS.read, read), own(DESCRIPTORS.write, write)].into_iter().collect()
    }
}

/// The build's implicit token, and what was taken beforehand.
fn jobs(lease: &Lease) -> usize {
    1 + lease.count()
}

/// A tool can't be told of its jobs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobsError {
    #[error(transparent)]
    Jobserver(#[from] JobserverError),
    #[error("the job server can't be handed on: {0}")]
    Descriptors(#[from] std::io::Error),
}

#[cfg(test)]
mod tests {
    use spack_wasm_jobserver::Style;

    use super::*;

    fn planned(program: &str, arguments: &[&str], parallel: bool) -> Planned {
        Planned {
            program: program.to_owned(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            environment: Vec::new(),
            directory: None,
            parallel,
        }
    }

    fn clients(make: Option<&str>, ninja: Option<(u32, u32)>) -> Clients {
        Clients { make: make.and_then(MakeVersion::parse), ninja }
    }

    fn manner(clients: Clients, line: &[&str]) -> Manner {
        clients.manner(&planned(line[0], &line[1..], true))
    }

    fn make(version: &str) -> Manner {
        let version = MakeVersion::parse(version).unwrap();
        Manner::Client(Client::Make { version, inside: DESCRIPTORS })
    }

    #[test]
    fn a_fifo_is_made_where_somebody_reads_it() {
        assert!(!clients(None, None).want_fifo());
        assert!(!clients(Some("4.3"), Some((1, 12))).want_fifo());
        assert!(clients(Some("4.4.1"), None).want_fifo());
        assert!(clients(Some("4.3"), Some((1, 13))).want_fifo());
    }

    #[test]
    fn each_tool_gets_what_it_reads() {
        let old = clients(Some("4.3"), Some((1, 11)));
        let new = clients(Some("4.3"), Some((1, 13)));
        assert_eq!(manner(old, &["make", "all"]), make("4.3"));
        assert_eq!(manner(clients(None, None), &["./configure"]), make("4.2"));
        assert_eq!(manner(old, &["/usr/bin/ninja"]), Manner::Argument);
        assert_eq!(manner(clients(None, None), &["ninja"]), Manner::Argument);
        assert_eq!(manner(new, &["ninja"]), Manner::Client(Client::Ninja));
        assert_eq!(manner(new, &["make"]), make("4.3"));
        assert_eq!(manner(new, &["ctest"]), Manner::Argument);
    }

    #[test]
    fn cmake_builds_with_what_there_is() {
        let build = ["cmake", "--build", "."];
        let variable = Manner::Variable("CMAKE_BUILD_PARALLEL_LEVEL");
        assert_eq!(manner(clients(Some("4.3"), Some((1, 11))), &build), make("4.3"));
        assert_eq!(manner(clients(None, Some((1, 11))), &build), variable);
        assert_eq!(manner(clients(None, Some((1, 13))), &build), Manner::Client(Client::Ninja));
        assert_eq!(manner(clients(None, Some((1, 11))), &["cmake", "-S", "."]), make("4.2"));
    }

    fn jobs(budget: &Budget, clients: Clients) -> Jobs {
        let channel = Channel::open(budget.try_acquire(1).unwrap(), Style::Pipe).unwrap();
        Jobs { channel: Arc::new(channel), budget: budget.clone(), clients }
    }

    fn equip(jobs: &Jobs, planned: &Planned) -> (Vec<String>, Option<Lease>) {
        let argv = [&planned.program].into_iter().chain(&planned.arguments);
        let mut command = Command::new(argv, "/");
        let lease = jobs.equip(planned, &mut command, &mut Environment::default()).unwrap();
        let argv = command.argv.iter().map(|word| word.to_str().unwrap().to_owned()).collect();
        (argv, lease)
    }

    #[test]
    fn a_tool_without_a_client_keeps_to_its_builds_share() {
        let budget = Budget::new(8);
        let first = jobs(&budget, clients(None, Some((1, 11))));
        let (argv, lease) = equip(&first, &planned("ninja", &["-v", "install"], true));
        assert_eq!(argv, ["ninja", "-j8", "-v", "install"]);
        drop(lease);
        let second = jobs(&budget, clients(None, None));
        let (argv, held) = equip(&first, &planned("ctest", &[], true));
        assert_eq!(argv, ["ctest", "-j4"]);
        // What is left is the other's.
        let (argv, _lease) = equip(&second, &planned("ctest", &[], true));
        assert_eq!(argv, ["ctest", "-j4"]);
        drop(held);
        let (argv, lease) = equip(&first, &planned("ninja", &[], false));
        assert_eq!(argv, ["ninja", "-j1"]);
        assert!(lease.is_none());
    }
}
