use std::collections::BTreeSet;
use std::ops::Range;

use super::ParseError;
use super::cursor::{begins_name, is_name, is_value};
use super::parse::Parser;
use crate::abstract_spec::{FlagRequest, RequestedValue, SpecPart};
use crate::{AbstractSpec, DependencyType, DependencyTypes, TargetList, VariantRequest, VersionList};

/// Kinds of compiler flags, which are written as variants are.
const FLAGS: [&str; 6] = ["cflags", "cxxflags", "cppflags", "fflags", "ldflags", "ldlibs"];

/// What stands between a key and its value.
#[derive(Clone, Copy, Default)]
struct Assignment {
    exact: bool,
    propagate: bool,
}

impl Parser<'_> {
    /// Whether a key with `=`, `==`, `:=` or `:==` begins here.
    pub(super) fn at_key_value(&self) -> bool {
        let rest = self.cursor.rest();
        let key = rest.trim_start_matches(|c| is_name(c) || c == '.');
        key.len() < rest.len() && (key.starts_with('=') || key.starts_with(":="))
    }

    /// Reads `key=value`, if one begins here.
    pub(super) fn key_value(&mut self, spec: &mut AbstractSpec) -> Result<bool, ParseError> {
        if !self.at_key_value() {
            return Ok(false);
        }
        let start = self.cursor.position;
        let key = self.cursor.take_while(|c| is_name(c) || c == '.').to_owned();
        let exact = self.cursor.take_if(":");
        self.cursor.take_if("=");
        let assignment = Assignment { exact, propagate: self.cursor.take_if("=") };
        let value_start = self.cursor.position;
        let value = self.value()?;
        self.mark(spec, SpecPart::Value(key.clone()), value_start);
        self.assign(spec, &key, &value, assignment, start)?;
        Ok(true)
    }

    fn assign(
        &mut self,
        spec: &mut AbstractSpec,
        key: &str,
        value: &str,
        assignment: Assignment,
        start: usize,
    ) -> Result<(), ParseError> {
        match key {
            "arch" | "architecture" => self.architecture(spec, value, start)?,
            "platform" => spec.platform = Some(value.to_owned()),
            "os" | "operating_system" => spec.os = Some(value.to_owned()),
            "target" => spec.target = Some(TargetList::new(value)),
            "namespace" => spec.namespace = Some(value.to_owned()),
            _ if FLAGS.contains(&key) => {
                let flags = FlagRequest { text: value.to_owned(), propagate: assignment.propagate };
                spec.flags.insert(key.to_owned(), flags);
            }
            _ => return self.variant(spec, key, value, assignment, start),
        }
        self.mark(spec, SpecPart::Architecture(key.to_owned()), start);
        Ok(())
    }

    fn variant(
        &mut self,
        spec: &mut AbstractSpec,
        key: &str,
        value: &str,
        assignment: Assignment,
        start: usize,
    ) -> Result<(), ParseError> {
        let values: BTreeSet<String> =
            value.split(',').map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).collect();
        let value = match value {
            "*" => RequestedValue::Any,
            _ if values.is_empty() => {
                let span = start..self.cursor.position;
                return Err(self.cursor.error(span, format!("variant `{key}` has no value")));
            }
            _ => RequestedValue::Values(values),
        };
        let Assignment { exact, propagate } = assignment;
        self.add_variant(spec, key.to_owned(), VariantRequest { value, propagate, exact }, start)
    }

    /// `platform-os-target`, the platform's name without dashes.
    fn architecture(&self, spec: &mut AbstractSpec, value: &str, start: usize) -> Result<(), ParseError> {
        let parts: Vec<&str> = value.splitn(3, '-').collect();
        let [platform, os, target] = parts.as_slice() else {
            let span = start..self.cursor.position;
            let error = self.cursor.error(span, format!("`{value}` is no architecture"));
            let help = "write platform, operating system and target, as in `arch=linux-debian12-x86_64_v3`";
            return Err(ParseError { help: Some(help.to_owned()), ..error });
        };
        let known = |text: &str| (text != "None").then(|| text.to_owned());
        spec.platform = known(platform);
        spec.os = known(os);
        spec.target = known(target).map(|target| TargetList::new(&target));
        Ok(())
    }

    /// A value, quoted or not.
    pub(super) fn value(&mut self) -> Result<String, ParseError> {
        let start = self.cursor.position;
        match self.cursor.peek() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote),
            Some(c) if is_value(c) => Ok(self.cursor.take_while(is_value).to_owned()),
            _ => Err(self.cursor.error(start.saturating_sub(1)..start, "a value is missing behind `=`")),
        }
    }

    /// Text in quotes; the quote itself is written with a backslash before it.
    fn quoted(&mut self, quote: char) -> Result<String, ParseError> {
        let start = self.cursor.position;
        let mut value = String::new();
        let mut characters = self.cursor.rest().char_indices().skip(1).peekable();
        while let Some((index, c)) = characters.next() {
            match c {
                '\\' if characters.peek().is_some_and(|(_, next)| *next == quote) => {
                    value.push(quote);
                    characters.next();
                }
                _ if c == quote => {
                    self.cursor.position += index + c.len_utf8();
                    return Ok(value);
                }
                _ => value.push(c),
            }
        }
        Err(self.cursor.error(start..self.cursor.text.len(), format!("the closing {quote} is missing")))
    }

    /// `@` and a list of versions.
    pub(super) fn versions(&mut self, spec: &mut AbstractSpec) -> Result<(), ParseError> {
        let sigil = self.cursor.position;
        self.cursor.position += 1;
        self.cursor.skip_space();
        let start = self.cursor.position;
        self.version_elements();
        let span = start..self.cursor.position;
        let text: String = self.cursor.text[span.clone()].split_whitespace().collect();
        if text.is_empty() {
            return Err(self.cursor.error(sigil..sigil + 1, "a version is missing behind `@`"));
        }
        if spec.span(&SpecPart::Versions).is_some() {
            return Err(self.cursor.error(sigil..span.end, "a version is given twice"));
        }
        spec.versions = text.parse().map_err(|error: <VersionList as std::str::FromStr>::Err| {
            self.cursor.error(span.clone(), error.to_string())
        })?;
        self.mark(spec, SpecPart::Versions, start);
        Ok(())
    }

    /// Moves behind the elements and the commas between them.
    fn version_elements(&mut self) {
        loop {
            self.version_element();
            let end = self.cursor.position;
            self.cursor.skip_space();
            if !self.cursor.take_if(",") {
                self.cursor.position = end;
                return;
            }
            self.cursor.skip_space();
        }
    }

    fn version_element(&mut self) {
        if self.git_version() {
            return;
        }
        self.cursor.take_if("=");
        self.version_text();
        if self.cursor.take_if(":") {
            let end = self.cursor.position;
            self.version_text();
            let rest = self.cursor.rest().trim_start();
            // `@1.2:build_system=cmake` is the range `1.2:` and a variant.
            if rest.starts_with('=') || rest.starts_with(":=") {
                self.cursor.position = end;
            }
        }
    }

    fn version_text(&mut self) {
        if self.cursor.peek().is_some_and(begins_name) {
            let text = self.cursor.take_while(|c| is_name(c) || c == '.');
            let kept = text.trim_end_matches(['.', '-']).len();
            self.cursor.position -= text.len() - kept;
        }
    }

    /// `git.REF`, `git.REF=VERSION`, or a commit in either form.
    fn git_version(&mut self) -> bool {
        let rest = self.cursor.rest();
        let length = rest.find(|c| !(is_name(c) || c == '.' || c == '/')).unwrap_or(rest.len());
        let text = &rest[..length];
        let commit = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !(commit || text.starts_with("git.")) {
            return false;
        }
        self.cursor.position += length;
        if self.cursor.take_if("=") {
            self.version_text();
        }
        true
    }

    pub(super) fn dependency_types(
        &self,
        value: &str,
        span: Range<usize>,
    ) -> Result<DependencyTypes, ParseError> {
        let kind = |name: &str| {
            let found = DependencyType::ALL.into_iter().find(|kind| kind.as_str() == name.trim());
            found.ok_or_else(|| {
                let error = self.cursor.error(span.clone(), format!("`{name}` is no type of dependency"));
                ParseError { help: Some("known are build, link, run and test".to_owned()), ..error }
            })
        };
        value.split(',').map(kind).collect()
    }
}
