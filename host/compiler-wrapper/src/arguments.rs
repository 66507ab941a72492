//! Takes a command line apart: search paths by kind, and all else in its order.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::invocation::Mode;
use crate::paths::SearchPaths;

/// Options whose value is the next argument and must stay behind them, whatever it looks like.
const TAKES_NEXT: &[&str] = &[
    "-o",
    "-x",
    "-D",
    "-U",
    "-MF",
    "-MT",
    "-MQ",
    "-include",
    "-imacros",
    "-idirafter",
    "-iquote",
    "-iprefix",
    "-isysroot",
    "-Xpreprocessor",
    "-Xassembler",
    "-Xclang",
    "-u",
    "-z",
    "-T",
    "--param",
];

/// A command line taken apart.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) include: SearchPaths,
    pub(crate) isystem: SearchPaths,
    pub(crate) link: SearchPaths,
    pub(crate) rpath: SearchPaths,
    /// All other arguments, libraries included: their order matters to the linker.
    pub(crate) other: Vec<OsString>,
    /// Whether `-isystem` occurred; added header folders must then come the same way, else they overtake.
    pub(crate) isystem_used: bool,
}

/// What taking apart depends on.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) mode: Mode,
    pub(crate) managed: &'a [PathBuf],
    /// Linker option that is removed, since the wrapper gives its opposite.
    pub(crate) strip: &'static str,
}

impl Arguments {
    pub(crate) fn sort<'a>(args: impl IntoIterator<Item = &'a OsString>, rules: Rules<'_>) -> Arguments {
        let mut sorter = Sorter { found: Arguments::default(), rules, rpath_awaited: None };
        let mut rest = args.into_iter().map(OsString::as_os_str);
        while let Some(arg) = rest.next() {
            sorter.take(arg, &mut rest);
        }
        sorter.end()
    }
}

/// How an rpath option came whose folder is still to come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Via {
    /// `-Wl,-rpath -Wl,/folder`
    Wl,
    /// `-Xlinker -rpath -Xlinker /folder`
    Xlinker,
}

/// What one argument means to the linker.
enum LinkerArgument<'a> {
    Rpath(&'a OsStr),
    RpathFollows,
    Stripped,
    Other,
}

struct Sorter<'a> {
    found: Arguments,
    rules: Rules<'a>,
    rpath_awaited: Option<Via>,
}

impl Sorter<'_> {
    fn take<'b>(&mut self, arg: &'b OsStr, rest: &mut impl Iterator<Item = &'b OsStr>) {
        if arg.is_empty() || arg == self.rules.strip {
            return;
        }
        if self.rules.mode == Mode::RawLink {
            return self.take_raw(arg, rest);
        }
        if TAKES_NEXT.iter().any(|option| *option == arg) {
            self.keep(arg);
            rest.next().into_iter().for_each(|value| self.keep(value));
        } else if let Some(folder) = joined_or_next(arg, "-isystem", rest) {
            self.found.isystem_used = true;
            self.found.isystem.push(folder, self.rules.managed);
        } else if let Some(folder) = joined_or_next(arg, "-I", rest) {
            self.found.include.push(folder, self.rules.managed);
        } else if let Some(folder) = joined_or_next(arg, "-L", rest) {
            self.found.link.push(folder, self.rules.managed);
        } else if let Some(list) = strip(arg, "-Wl,") {
            self.take_wl(list);
        } else if arg == "-Xlinker" {
            self.take_xlinker(rest.next());
        } else {
            self.keep(arg);
        }
    }

    /// An argument of the linker itself, in whose language `-I` is no header folder.
    fn take_raw<'b>(&mut self, arg: &'b OsStr, rest: &mut impl Iterator<Item = &'b OsStr>) {
        if let Some(folder) = joined_or_next(arg, "-L", rest) {
            return self.found.link.push(folder, self.rules.managed);
        }
        match linker_argument(arg, self.rules.strip) {
            LinkerArgument::Rpath(folder) => self.add_rpath(folder),
            LinkerArgument::Stripped => {}
            LinkerArgument::Other => self.keep(arg),
            LinkerArgument::RpathFollows => match rest.next() {
                Some(folder) => self.add_rpath(folder),
                None => self.keep(arg),
            },
        }
    }

    /// The comma separated list behind `-Wl,`; what is left of it stays together.
    fn take_wl(&mut self, list: &OsStr) {
        let mut left = OsString::from("-Wl");
        for part in list.as_bytes().split(|byte| *byte == b',').map(OsStr::from_bytes) {
            if self.rpath_awaited == Some(Via::Wl) {
                self.rpath_awaited = None;
                self.add_rpath(part);
                continue;
            }
            match linker_argument(part, self.rules.strip) {
                LinkerArgument::Rpath(folder) => self.add_rpath(folder),
                LinkerArgument::RpathFollows => self.rpath_awaited = Some(Via::Wl),
                LinkerArgument::Stripped => {}
                LinkerArgument::Other => {
                    left.push(",");
                    left.push(part);
                }
            }
        }
        if left != "-Wl" {
            self.keep(&left);
        }
    }

    fn take_xlinker(&mut self, value: Option<&OsStr>) {
        let Some(value) = value else {
            return self.keep(OsStr::new("-Xlinker"));
        };
        if self.rpath_awaited == Some(Via::Xlinker) {
            self.rpath_awaited = None;
            return self.add_rpath(value);
        }
        match linker_argument(value, self.rules.strip) {
            LinkerArgument::Rpath(folder) => self.add_rpath(folder),
            LinkerArgument::RpathFollows => self.rpath_awaited = Some(Via::Xlinker),
            LinkerArgument::Stripped => {}
            LinkerArgument::Other => {
                self.keep(OsStr::new("-Xlinker"));
                self.keep(value);
            }
        }
    }

    fn add_rpath(&mut self, folder: &OsStr) {
        self.found.rpath.push(folder, self.rules.managed);
    }

    fn keep(&mut self, arg: &OsStr) {
        self.found.other.push(arg.to_owned());
    }

    /// An rpath option whose folder never came is given back: the compiler is to complain, in its own words.
    fn end(mut self) -> Arguments {
        match self.rpath_awaited {
            Some(Via::Wl) => self.found.other.push("-Wl,-rpath".into()),
            Some(Via::Xlinker) => self.found.other.extend(["-Xlinker".into(), "-rpath".into()]),
            None => {}
        }
        self.found
    }
}

fn linker_argument<'a>(arg: &'a OsStr, stripped: &str) -> LinkerArgument<'a> {
    if let Some(folder) = strip(arg, "-rpath=").or_else(|| strip(arg, "--rpath=")) {
        LinkerArgument::Rpath(folder)
    } else if arg == "-rpath" || arg == "--rpath" {
        LinkerArgument::RpathFollows
    } else if arg == stripped {
        LinkerArgument::Stripped
    } else {
        LinkerArgument::Other
    }
}

fn strip<'a>(arg: &'a OsStr, start: &str) -> Option<&'a OsStr> {
    arg.as_bytes().strip_prefix(start.as_bytes()).map(OsStr::from_bytes)
}

/// The value of `-Ivalue` or of `-I value`.
fn joined_or_next<'a>(
    arg: &'a OsStr,
    option: &str,
    rest: &mut impl Iterator<Item = &'a OsStr>,
) -> Option<&'a OsStr> {
    let joined = strip(arg, option)?;
    if joined.is_empty() { Some(rest.next().unwrap_or_default()) } else { Some(joined) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::ORDER;

    fn sort_as(mode: Mode, line: &str) -> Arguments {
        let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Arguments::sort(&args, Rules { mode, managed: &[], strip: "--enable-new-dtags" })
    }

    fn all(paths: &SearchPaths) -> Vec<String> {
        let all = ORDER.iter().flat_map(|class| paths.of_class(*class));
        all.map(|path| path.to_string_lossy().into_owned()).collect()
    }

    fn other(found: &Arguments) -> String {
        found.other.join(OsStr::new(" ")).into_string().unwrap()
    }

    #[test]
    fn search_paths_are_taken_out() {
        let found = sort_as(Mode::Link, "-I /a -I/b -isystem /c a.c -L/d -L /e -lz -o x");
        assert_eq!(all(&found.include), ["/a", "/b"]);
        assert_eq!(all(&found.isystem), ["/c"]);
        assert_eq!(all(&found.link), ["/d", "/e"]);
        assert_eq!(other(&found), "a.c -lz -o x");
        assert!(found.isystem_used);
    }

    #[test]
    fn every_spelling_of_an_rpath_is_known() {
        for line in [
            "-Wl,-rpath,/r a.c",
            "-Wl,-rpath=/r a.c",
            "-Wl,--rpath=/r a.c",
            "-Wl,-rpath -Wl,/r a.c",
            "-Wl,-rpath a.c -Wl,/r",
            "-Xlinker -rpath -Xlinker /r a.c",
            "-Xlinker -rpath=/r a.c",
        ] {
            let found = sort_as(Mode::Link, line);
            assert_eq!(
                (all(&found.rpath), other(&found)),
                (vec!["/r".to_owned()], "a.c".to_owned()),
                "{line}"
            );
        }
        let found = sort_as(Mode::RawLink, "-rpath /r --rpath=/s -I/lib/ld.so a.o");
        assert_eq!(
            (all(&found.rpath).join(" "), other(&found)),
            ("/r /s".to_owned(), "-I/lib/ld.so a.o".to_owned())
        );
    }

    #[test]
    fn the_rest_of_a_linker_list_stays_together() {
        let found = sort_as(Mode::Link, "-Wl,-soname,libx.so,-rpath,/r,--enable-new-dtags,-z,now");
        assert_eq!(other(&found), "-Wl,-soname,libx.so,-z,now");
        assert_eq!(other(&sort_as(Mode::Link, "-Wl,-rpath-link,/r")), "-Wl,-rpath-link,/r");
    }

    #[test]
    fn an_unfinished_rpath_is_given_back() {
        assert_eq!(other(&sort_as(Mode::Link, "a.c -Wl,-rpath")), "a.c -Wl,-rpath");
        assert_eq!(other(&sort_as(Mode::Link, "a.c -Xlinker -rpath")), "a.c -Xlinker -rpath");
        assert_eq!(other(&sort_as(Mode::Link, "a.c -Xlinker")), "a.c -Xlinker");
        assert_eq!(other(&sort_as(Mode::RawLink, "a.o -rpath")), "a.o -rpath");
    }

    #[test]
    fn values_that_look_like_options_stay_where_they_are() {
        for line in
            ["-o -Lx a.c", "-Xclang -I/x -c a.c", "-isysroot /s a.c", "-idirafter /i -D L a.c", "-E -"]
        {
            let found = sort_as(Mode::Compile, line);
            assert_eq!(other(&found), line);
        }
    }

    #[test]
    fn the_opposite_tag_is_removed() {
        assert_eq!(other(&sort_as(Mode::RawLink, "--enable-new-dtags a.o")), "a.o");
        assert_eq!(
            other(&sort_as(Mode::Link, "-Xlinker --enable-new-dtags a.o -Wl,--enable-new-dtags")),
            "a.o"
        );
    }
}
