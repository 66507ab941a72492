use std::fmt::Write;

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};

use crate::wire::BuildRequest;

/// What saved files call a build: the MD5 of the text that Python gives the metadata's dictionary.
///
/// Nothing depends on how it is made; it is Spack's own, so that the same build has the same name.
pub(crate) fn local_id(build: &BuildRequest) -> String {
    let mut text = String::from("{");
    let tags = build.tags.as_deref().map(|tags| ("tags", tags));
    for (index, (key, value)) in build.required().into_iter().chain(tags).enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        quote(&mut text, key);
        text.push_str(": ");
        quote(&mut text, value);
    }
    text.push('}');
    HEXLOWER.encode(&Md5::digest(text))
}

/// Python's `repr` of a string: single quotes unless only those are in it.
fn quote(text: &mut String, value: &str) {
    let mark = if value.contains('\'') && !value.contains('"') { '"' } else { '\'' };
    text.push(mark);
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            _ if character == mark => text.extend(['\\', mark]),
            _ if is_printable(character) => text.push(character),
            _ => escape(text, character),
        }
    }
    text.push(mark);
}

fn escape(text: &mut String, character: char) {
    let code = u32::from(character);
    // Writing to a string cannot fail.
    let _ = match code {
        0..=0xff => write!(text, "\\x{code:02x}"),
        0x100..=0xffff => write!(text, "\\u{code:04x}"),
        _ => write!(text, "\\U{code:08x}"),
    };
}

fn is_printable(character: char) -> bool {
    character == ' ' || !(character.is_control() || character.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The metadata of exchange 70 and the id that Spack's client gave it.
    #[test]
    fn the_id_is_that_of_spacks_client() {
        let build = BuildRequest {
            host_os: "debian12".into(),
            platform: "linux".into(),
            host_target: "x86_64_v4".into(),
            hostname: "vm".into(),
            spack_version: "0.17.0".into(),
            kernel_version: "#1 SMP PREEMPT_DYNAMIC @0".into(),
            full_hash: "eoncv4dbjgbk4t44fdamrpgkh7bb62xd".into(),
            tags: Some("pizza,pasta".into()),
        };
        assert_eq!(local_id(&build), "181a19581424f99e4a20fd7d11d967af");
    }

    #[test]
    fn text_is_quoted_as_python_does() {
        let quoted = |value: &str| {
            let mut text = String::new();
            quote(&mut text, value);
            text
        };
        assert_eq!(quoted("it's"), r#""it's""#);
        assert_eq!(quoted(r#"it's "it""#), r#"'it\'s "it"'"#);
        assert_eq!(quoted("a\\b\n\u{1}\u{a0}é😀"), r"'a\\b\n\x01\xa0é😀'");
    }
}
