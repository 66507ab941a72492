//! The index: SHA-256 -> URI, for the archives of all source packages.

use super::AptOptions;
use super::command::{AptError, Programs};
use super::sources::Sources;
use crate::cache::{Lock, remove_if_there};
use crate::checksum::Checksum;
use fs_err as fs;
use rusqlite::{Connection, OpenFlags, Row, Transaction, params};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const LIST_CHUNK: usize = 256 << 10;
const POLL: Duration = Duration::from_millis(100);
/// What a source package has beside archives.
const NO_ARCHIVES: &[&str] =
    &[".dsc", ".asc", ".sig", ".diff.gz", ".debian.tar.xz", ".debian.tar.gz", ".debian.tar.bz2"];
const SCHEMA: &str = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
    CREATE TABLE archive (sha256 TEXT NOT NULL, uri TEXT NOT NULL, size INTEGER NOT NULL);";

const QUERY: &str = "SELECT DISTINCT uri, size FROM archive WHERE sha256 = ?1";

/// An archive in the distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) uri: String,
    pub(super) size: u64,
}

/// A built index, opened for reading.
pub(super) struct Index {
    database: Connection,
    built: SystemTime,
}

impl Index {
    /// The index of that folder, if there is one that can be read.
    pub(super) fn open(state_dir: &Path) -> Result<Option<Self>, AptError> {
        let path = path(state_dir);
        let built = match fs::metadata(&path) {
            Ok(metadata) => metadata.modified()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let readable = database.prepare(QUERY).is_ok();
        Ok(readable.then_some(Index { database, built }))
    }

    pub(super) fn find(&self, checksum: &Checksum) -> Result<Vec<Located>, AptError> {
        let mut query = self.database.prepare(QUERY)?;
        let rows = query.query_map([checksum.hex()], located)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(super) fn age(&self) -> Duration {
        self.built.elapsed().unwrap_or_default()
    }
}

fn located(row: &Row<'_>) -> rusqlite::Result<Located> {
    let size: i64 = row.get(1)?;
    Ok(Located { uri: row.get(0)?, size: u64::try_from(size).unwrap_or_default() })
}

fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("index.sqlite")
}

/// Reads the lists and builds the index. Another process that does the same is waited for, and its index taken.
pub(super) async fn build(programs: &Programs, options: &AptOptions) -> Result<Index, AptError> {
    let state_dir = &options.state_dir;
    fs::create_dir_all(state_dir)?;
    let asked = SystemTime::now();
    let lock = lock(&state_dir.join("lock")).await?;
    if let Some(index) = Index::open(state_dir)?.filter(|index| index.built >= asked) {
        return Ok(index);
    }
    configure(programs, options)?;
    // One repository of several may fail, or have no sources; what the others have is as good.
    let updated = programs.update().await;
    let targets = programs.index_targets().await?;
    if targets.trim().is_empty() {
        updated?;
        return Err(AptError::Index("the machine's package sources have no source packages".to_owned()));
    }
    let new = state_dir.join("index.new");
    fill(programs, &new, &targets).await?;
    fs::rename(&new, path(state_dir))?;
    drop(lock);
    Index::open(state_dir)?.ok_or_else(|| AptError::Index("it is gone again".to_owned()))
}

async fn lock(path: &Path) -> Result<Lock, AptError> {
    loop {
        match Lock::try_take(path)? {
            Some(lock) => return Ok(lock),
            None => tokio::time::sleep(POLL).await,
        }
    }
}

/// Writes apt's configuration and sources.
fn configure(programs: &Programs, options: &AptOptions) -> Result<(), AptError> {
    let sources = Sources::read(&options.etc)?;
    if sources.is_empty() {
        return Err(AptError::NoSources(options.etc.clone()));
    }
    let state_dir = &options.state_dir;
    let parts = state_dir.join("sources.d");
    for folder in [&parts, &state_dir.join("lists/partial"), &state_dir.join("cache/archives/partial")] {
        fs::create_dir_all(folder)?;
    }
    fs::write(parts.join("source.sources"), sources.stanzas)?;
    fs::write(parts.join("source.list"), sources.lines)?;
    fs::write(&programs.configuration, configuration(state_dir, rustix::process::geteuid().is_root())?)?;
    Ok(())
}

/// Hooks of the system are cleared: they run as whoever runs apt, and clean up the system's folders. Root's apt gives
/// its downloads to another user, who could not enter root's folders.
fn configuration(state_dir: &Path, root: bool) -> Result<String, AptError> {
    let state = state_dir.to_str().filter(|path| !path.contains(['"', '\n']));
    let state =
        state.ok_or_else(|| AptError::Index(format!("{} cannot be named to apt", state_dir.display())))?;
    let user = if root { "APT::Sandbox::User \"root\";\n" } else { "" };
    Ok(format!(
        "Dir::Etc::sourcelist \"/dev/null\";\n\
         Dir::Etc::sourceparts \"{state}/sources.d\";\n\
         Dir::State::lists \"{state}/lists\";\n\
         Dir::Cache \"{state}/cache\";\n\
         Dir::Cache::pkgcache \"\";\n\
         Dir::Cache::srcpkgcache \"\";\n\
         Debug::NoLocking \"1\";\n\
         Acquire::Languages \"none\";\n\
         Acquire::Retries \"1\";\n\
         Acquire::http::Timeout \"10\";\n\
         Acquire::https::Timeout \"10\";\n\
         #clear APT::Update::Pre-Invoke;\n\
         #clear APT::Update::Post-Invoke;\n\
         #clear APT::Update::Post-Invoke-Success;\n\
         {user}"
    ))
}

/// Reads each list into a new database.
async fn fill(programs: &Programs, new: &Path, targets: &str) -> Result<(), AptError> {
    remove_if_there(new)?;
    let mut database = Connection::open(new)?;
    database.execute_batch(SCHEMA)?;
    for (list, repository) in targets.lines().filter_map(|line| line.split_once('\t')) {
        let mut child = programs.cat(list)?;
        let Some(stdout) = child.stdout.take() else { continue };
        let text = BufReader::with_capacity(LIST_CHUNK, File::from(stdout.into_owned_fd()?));
        let repository = repository.to_owned();
        database = blocking(move || {
            let transaction = database.transaction()?;
            insert(&transaction, text, &repository)?;
            transaction.commit()?;
            Ok(database)
        })
        .await?;
        if !child.wait().await?.success() {
            return Err(AptError::Index(format!("{list} cannot be read")));
        }
    }
    blocking(move || Ok(database.execute_batch("CREATE INDEX by_sha256 ON archive (sha256);")?)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AptError> + Send + 'static,
) -> Result<T, AptError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| AptError::Index(error.to_string()))?
}

fn insert(transaction: &Transaction<'_>, text: impl BufRead, repository: &str) -> Result<(), AptError> {
    let mut statement = transaction.prepare("INSERT INTO archive VALUES (?1, ?2, ?3)")?;
    let mut fault = None;
    parse(text, |directory, entry| {
        let uri = format!("{repository}{directory}/{}", entry.name);
        if let Err(error) = statement.execute(params![entry.sha256, uri, entry.size]) {
            fault.get_or_insert(error);
        }
    })?;
    fault.map_or(Ok(()), |error| Err(error.into()))
}

/// A line of a source package's list of files.
struct Entry<'a> {
    sha256: &'a str,
    size: i64,
    name: &'a str,
}

/// Goes through a list of source packages (`deb822(5)` stanzas) and reports each archive with its directory.
fn parse(mut text: impl BufRead, mut report: impl FnMut(&str, Entry<'_>)) -> io::Result<()> {
    let (mut line, mut directory, mut sums) = (Vec::new(), String::new(), Vec::<String>::new());
    let mut in_sums = false;
    loop {
        line.clear();
        let count = text.read_until(b'\n', &mut line)?;
        let shown = String::from_utf8_lossy(&line);
        if shown.trim().is_empty() {
            sums.iter().filter_map(|sum| entry(sum)).for_each(|entry| report(&directory, entry));
            (directory, in_sums) = (String::new(), false);
            sums.clear();
        } else if shown.starts_with([' ', '\t']) {
            if in_sums {
                sums.push(shown.into_owned());
            }
        } else if let Some((name, value)) = shown.split_once(':') {
            in_sums = name == "Checksums-Sha256";
            if name == "Directory" {
                directory = value.trim().to_owned();
            }
        }
        if count == 0 {
            return Ok(());
        }
    }
}

fn entry(line: &str) -> Option<Entry<'_>> {
    let mut words = line.split_whitespace();
    let (sha256, size, name) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
    let archive = !NO_ARCHIVES.iter().any(|suffix| name.ends_with(suffix));
    archive.then_some(Entry { sha256, size, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "Package: zlib
Version: 1:1.2.13.dfsg-1
Checksums-Sha256:
 aaaa 100 zlib_1.2.13.dfsg-1.dsc
 bbbb 200 zlib_1.2.13.dfsg.orig.tar.bz2
 cccc 300 zlib_1.2.13.dfsg-1.debian.tar.xz
Directory: pool/main/z/zlib
Files:
 dddd 200 zlib_1.2.13.dfsg.orig.tar.bz2

Package: two
Directory: pool/main/t/two
Checksums-Sha256:
 eeee 1 two_1.orig.tar.gz
 ffff x broken
 9999 2 two_1.orig-data.tar.gz
";

    #[test]
    fn archives_of_a_list() {
        let mut found = Vec::new();
        parse(LIST.as_bytes(), |directory, entry| {
            found.push(format!("{} {directory}/{} {}", entry.sha256, entry.name, entry.size));
        })
        .unwrap();
        assert_eq!(
            found,
            [
                "bbbb pool/main/z/zlib/zlib_1.2.13.dfsg.orig.tar.bz2 200",
                "eeee pool/main/t/two/two_1.orig.tar.gz 1",
                "9999 pool/main/t/two/two_1.orig-data.tar.gz 2",
            ]
        );
    }

    #[test]
    fn the_configuration_of_root_and_of_others() {
        let root = configuration(Path::new("/cache/apt"), true).unwrap();
        assert!(
            root.contains("APT::Sandbox::User \"root\";")
                && root.contains("#clear APT::Update::Post-Invoke;")
        );
        assert!(!configuration(Path::new("/cache/apt"), false).unwrap().contains("Sandbox"));
        assert!(configuration(Path::new("/a\"b"), false).is_err());
    }
}
