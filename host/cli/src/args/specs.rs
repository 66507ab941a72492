//! Specs on the command line.

use spack_wasm_spec::AbstractSpec;

use crate::error::CommandError;

/// Reads the specs of a command line: its words belong together, so `zlib +shared` is one spec.
///
/// # Errors
/// The words are no specs, or there are words, for example an empty one out of a script's variable, and no spec in them.
pub(crate) fn specs(words: &[String]) -> Result<Vec<AbstractSpec>, CommandError> {
    let specs = AbstractSpec::parse_all(&line(words))?;
    if specs.is_empty() && !words.is_empty() {
        return Err(CommandError::usage("a spec is expected, and there are only blanks"));
    }
    Ok(specs)
}

/// Reads a command line with exactly one spec.
///
/// # Errors
/// The words are no spec, or more than one.
pub(crate) fn one_spec(words: &[String]) -> Result<AbstractSpec, CommandError> {
    Ok(AbstractSpec::parse(&line(words))?)
}

/// The words in one line. What the shell kept together as the value of `key=` stays together, as in Spack:
/// `cflags="-O3 -g"`, whose quotes the shell has taken away.
fn line(words: &[String]) -> String {
    words.iter().map(|word| whole(word)).collect::<Vec<_>>().join(" ")
}

fn whole(word: &str) -> String {
    let Some((key, behind)) = word.split_once('=') else { return word.to_owned() };
    let value = behind.strip_prefix('=').unwrap_or(behind);
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:".contains(c));
    if !is_key || value.starts_with(['"', '\'']) || !value.contains(char::is_whitespace) {
        return word.to_owned();
    }
    let assign = &word[..word.len() - value.len()];
    if value.contains('\'') {
        format!("{assign}\"{}\"", value.replace('"', "\\\""))
    } else {
        format!("{assign}'{value}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Vec<String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        specs(&words).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_the_shell_kept_together_stays_together() {
        assert_eq!(read(&["zlib", "cflags=-O3 -g"]), ["zlib cflags='-O3 -g'"]);
        assert_eq!(read(&["hdf5", "+cxx", "cflags==-O3 -g", "^zlib", "ldflags=-L/a b"]).len(), 1);
        assert_eq!(read(&["zlib", "cflags=-DX='a b' -DY=\"c\""])[0].matches("-D").count(), 2);
        assert_eq!(read(&["zlib", "cflags='-O3 -g'"]), ["zlib cflags='-O3 -g'"]);
    }

    #[test]
    fn specs_may_share_one_word() {
        assert_eq!(read(&["hdf5 +cxx ^zlib"]), ["hdf5+cxx ^zlib"]);
        assert_eq!(read(&["hdf5 api=v18", "zlib cflags=-g"]), ["hdf5 api=v18", "zlib cflags='-g'"]);
        assert_eq!(read(&["zlib cflags='-O3 -g' +shared"]), ["zlib+shared cflags='-O3 -g'"]);
        assert_eq!(read(&["zlib@=1.3 +shared"]), ["zlib@=1.3+shared"]);
    }
}
