use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Cli {
    Cli::try_parse_from(std::iter::once("spack-wasm").chain(line.split(' '))).unwrap()
}

fn help(path: &[&str]) -> String {
    let mut command = Cli::command().term_width(100);
    command.build();
    let command = path.iter().fold(&mut command, |command, name| command.find_subcommand_mut(name).unwrap());
    command.render_long_help().to_string()
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn options_of_every_command_count_wherever_they_stand() {
    let globals = parse("-c config:build_jobs:1 --color never repo -d list -c config:build_jobs:2").globals();
    assert_eq!(globals.config, ["config:build_jobs:1", "config:build_jobs:2"]);
    assert!(globals.debug);
    assert_eq!(globals.color, Some(Color::Never));
    assert_eq!(parse("--format json find --format text").globals().format, Some(Format::Text));
}

#[test]
fn the_words_of_a_spec_may_be_many() {
    let Command::Install(install) = parse("install hdf5 +cxx ~shared api=v18 ^zlib@1.2.13 -j 3").command
    else {
        panic!("another command")
    };
    let specs = specs(&install.args.specs).unwrap();
    assert_eq!(specs.len(), 1);
    assert_eq!(specs[0].to_string(), "hdf5+cxx~shared api=v18 ^zlib@1.2.13");
    assert_eq!(install.args.jobs, Some(3));
}

#[test]
fn monitor_options_are_spacks_and_may_stand_on_both_sides() {
    let line = "monitor --monitor-host http://a --monitor-no-auth upload --monitor-host http://b \
                --monitor-prefix p dir";
    let Command::Monitor(monitor) = parse(line).command else { panic!("another command") };
    let MonitorCommand::Upload(upload) = monitor.args.command;
    let options = monitor.args.monitor.with(upload.args.monitor);
    let expected = MonitorArgs {
        host: Some("http://b".to_owned()),
        prefix: Some("p".to_owned()),
        disable_auth: true,
        ..MonitorArgs::default()
    };
    assert_eq!(options, expected);
    assert!(options.is_without_effect());

    let line = "install --monitor --monitor-host h --monitor-prefix p --monitor-disable-auth --monitor-keep-going \
                --monitor-tags a,b --monitor-save-local hdf5";
    let Command::Install(install) = parse(line).command else { panic!("another command") };
    let options = install.args.monitor;
    assert!(options.monitor && options.disable_auth && options.keep_going && options.save_local);
    assert_eq!(options.tags.as_deref(), Some("a,b"));
    assert!(!options.is_without_effect());
}

#[test]
fn a_wrong_layer_is_told_with_the_right_ones() {
    let line = ["spack-wasm", "install", "--sandbox-allow-missing=uzer", "zlib"];
    let error = Cli::try_parse_from(line).unwrap_err().to_string();
    assert!(error.contains("`uzer` is none of user, mount, pid"), "{error}");
    assert!(Cli::try_parse_from(["spack-wasm", "install"]).is_err());
    assert!(Cli::try_parse_from(["spack-wasm", "install", "--recipe", "x.wasm"]).is_ok());
    assert!(Cli::try_parse_from(["spack-wasm", "install", "-j", "0", "zlib"]).is_err());
}

#[test]
fn numbers_of_jobs_that_make_no_sense_are_told() {
    let error = |number: &str| {
        let line = ["spack-wasm", "install", "-j", number, "zlib"];
        Cli::try_parse_from(line).unwrap_err().to_string().lines().next().unwrap().to_owned()
    };
    insta::assert_snapshot!(error("0"), @"error: invalid value '0' for '--jobs <N>': 0 is not in 1..=65535");
    insta::assert_snapshot!(error("-1"), @"error: invalid value '-1' for '--jobs <N>': -1 is not in 1..=65535");
    insta::assert_snapshot!(error("many"), @"error: invalid value 'many' for '--jobs <N>': invalid digit found in string");
}

#[test]
fn find_has_spacks_short_option_for_dependencies() {
    let cli = parse("-d find -d");
    let Command::Find(find) = &cli.command else { panic!("another command") };
    assert!(find.args.deps && cli.globals().debug && !find.globals.debug);
    assert!(parse("find --debug").globals().debug);
}

#[test]
fn blanks_are_no_spec() {
    assert_eq!(
        specs(&[" ".to_owned()]).unwrap_err().message,
        "a spec is expected, and there are only blanks"
    );
    assert_eq!(specs(&[]).unwrap(), []);
}

#[test]
fn help_of_the_program() {
    insta::assert_snapshot!(help(&[]));
}

#[test]
fn help_of_install() {
    insta::assert_snapshot!(help(&["install"]));
}

#[test]
fn help_of_the_other_commands() {
    let names = ["find", "location", "uninstall", "spec", "info", "list", "logs", "reindex"];
    let pages: Vec<String> = names.iter().map(|name| help(&[name])).collect();
    insta::assert_snapshot!(pages.join("\n----------\n\n"));
}

#[test]
fn help_of_repo_and_monitor() {
    let pages = [&["repo"][..], &["repo", "add"], &["repo", "remove"], &["monitor"], &["monitor", "upload"]];
    insta::assert_snapshot!(pages.map(help).join("\n----------\n\n"));
}
