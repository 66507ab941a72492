//! `logs`: the log of a build.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use spack_wasm_spec::AbstractSpec;
use spack_wasm_store::Installed;

use crate::args::{Format, LogsArgs, one_spec};
use crate::error::CommandError;
use crate::failed_logs::{self, Logged};
use crate::render::failure::read_log;
use crate::selection::matching;
use crate::session::Session;
use crate::text::counted;

pub(super) fn run(session: &Session, args: &LogsArgs) -> Result<(), CommandError> {
    session.expect_format(&[Format::Text])?;
    let spec = one_spec(&args.spec)?;
    let mut builds = builds(session, &spec)?;
    builds.sort();
    let Some(newest) = builds.pop() else { return Err(none(&spec)) };
    session.ui.status(&title(&newest, builds.len(), TimeZone::system()));
    let unreadable = |error| CommandError::caused("the log can't be read", &error);
    if session.ui.stdout_is_terminal() {
        session.ui.print(&read_log(&newest.log).map_err(unreadable)?);
    } else {
        session.ui.print_bytes(&fs_err::read(&newest.log).map_err(unreadable)?);
    }
    Ok(())
}

/// All builds that a spec fits, in no order.
fn builds(session: &Session, spec: &AbstractSpec) -> Result<Vec<Logged>, CommandError> {
    let mut builds = failed_logs::find(&session.paths.failed_logs(), spec);
    let store = session.store_for_reading()?;
    let found = store.as_ref().map_or(Ok(Vec::new()), |store| matching(store, spec))?;
    builds.extend(found.iter().map(|found| logged(&found.installed)));
    Ok(builds)
}

fn logged(installed: &Installed) -> Logged {
    let log = installed.log_path();
    // The log comes into the prefix when it is complete, and its time is more exact than the index's.
    let written = fs_err::metadata(&log).and_then(|file| file.modified());
    let ended = written.unwrap_or(installed.installed_at);
    Logged { ended, failed: false, package: installed.to_string(), log }
}

/// Which build it is whose log follows.
fn title(build: &Logged, older: usize, zone: TimeZone) -> String {
    let end = if build.failed { "failed" } else { "was installed" };
    let time = Timestamp::try_from(build.ended).map(|time| time.to_zoned_datetime(zone));
    let time = time.map(|time| time.strftime(" on %Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default();
    let more = match older {
        0 => String::new(),
        1 => "; 1 older build fits, too".to_owned(),
        _ => format!("; {} fit, too", counted(older, "older build")),
    };
    format!("Log of {}, which {end}{time}{more}", build.package)
}

fn none(spec: &AbstractSpec) -> CommandError {
    CommandError::failure(format!(
        "no build of `{spec}` is known: it is not installed, and no build of it failed"
    ))
    .hinted("`spack-wasm find` lists what is installed".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn build(seconds: u64, failed: bool) -> Logged {
        let ended = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        Logged { ended, failed, package: "zlib@1.2.13/abcdefg".to_owned(), log: "/log".into() }
    }

    #[test]
    fn the_newest_build_is_the_last_one_whatever_became_of_it() {
        let mut builds = [build(9, false), build(7, true), build(8, true)];
        builds.sort();
        assert_eq!(builds, [build(7, true), build(8, true), build(9, false)]);
    }

    #[test]
    fn a_title_says_which_build_it_is() {
        let title = |failed, older| title(&build(86_400, failed), older, TimeZone::UTC);
        insta::assert_snapshot!(title(false, 0), @"Log of zlib@1.2.13/abcdefg, which was installed on 1970-01-02 00:00:00");
        insta::assert_snapshot!(title(true, 1), @"Log of zlib@1.2.13/abcdefg, which failed on 1970-01-02 00:00:00; 1 older build fits, too");
        insta::assert_snapshot!(title(true, 2), @"Log of zlib@1.2.13/abcdefg, which failed on 1970-01-02 00:00:00; 2 older builds fit, too");
    }
}
