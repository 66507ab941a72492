use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use super::ParseError;
use super::cursor::{Cursor, begins_name, is_name};
use crate::abstract_spec::{Origin, SpecPart};
use crate::{AbstractSpec, DependencyRequest, VariantRequest};

/// Names that older specs use for compilers, and the packages that are meant.
const OLD_COMPILER_NAMES: [(&str, &str); 6] = [
    ("clang", "llvm"),
    ("oneapi", "intel-oneapi-compilers"),
    ("dpcpp", "intel-oneapi-compilers"),
    ("intel", "intel-oneapi-compilers-classic"),
    ("rocmcc", "llvm-amdgpu"),
    ("arm", "acfl"),
];

impl AbstractSpec {
    /// Reads one spec; the empty text is the one that restricts nothing.
    ///
    /// # Errors
    /// The text is no spec, or more than one.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser::new(text);
        parser.cursor.skip_space();
        if parser.cursor.at_end() {
            return Ok(Self::default());
        }
        let spec = parser.spec()?;
        parser.cursor.skip_space();
        if parser.cursor.at_end() {
            return Ok(spec);
        }
        let start = parser.cursor.position;
        Err(parser.cursor.error(start..text.len(), "only one spec is expected here"))
    }

    /// Reads the specs of a command line, for example `zlib@1.3 hdf5 ~mpi ^cmake@3.20:`.
    ///
    /// # Errors
    /// The text is no list of specs.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, ParseError> {
        let mut parser = Parser::new(text);
        let mut specs = Vec::new();
        loop {
            parser.cursor.skip_space();
            if parser.cursor.at_end() {
                return Ok(specs);
            }
            specs.push(parser.spec()?);
        }
    }
}

impl FromStr for AbstractSpec {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

pub(super) struct Parser<'a> {
    pub(super) cursor: Cursor<'a>,
    source: Arc<str>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self { cursor: Cursor::new(text), source: Arc::from(text) }
    }

    /// A node and its dependencies: `^` belongs to the first node, `%` to the last one behind `^`.
    fn spec(&mut self) -> Result<AbstractSpec, ParseError> {
        let mut root = self.node()?;
        let mut transitive: Option<usize> = None;
        loop {
            self.cursor.skip_space();
            match self.cursor.peek() {
                Some('^' | '%') => {}
                _ => return Ok(root),
            }
            let dependency = self.dependency()?;
            let owner = match (dependency.direct, transitive) {
                (true, Some(index)) => &mut root.dependencies[index].spec,
                _ => &mut root,
            };
            let direct = dependency.direct;
            owner.dependencies.push(dependency);
            if !direct {
                transitive = Some(root.dependencies.len() - 1);
            }
        }
    }

    fn dependency(&mut self) -> Result<DependencyRequest, ParseError> {
        let start = self.cursor.position;
        let direct = self.cursor.take_if("%");
        let propagate = direct && self.cursor.take_if("%");
        if !direct {
            self.cursor.take_if("^");
        }
        let mut dependency = DependencyRequest { direct, propagate, ..DependencyRequest::default() };
        if self.cursor.take_if("[") {
            self.edge_attributes(&mut dependency)?;
        }
        self.cursor.skip_space();
        self.virtual_assignment(&mut dependency);
        dependency.spec = self.node()?;
        if dependency.spec.is_empty() {
            let message = format!("a package is missing behind `{}`", self.cursor.text[start..].trim());
            return Err(self.cursor.error(start..self.cursor.text.len(), message));
        }
        if direct && let Some(name) = &mut dependency.spec.name {
            let renamed = OLD_COMPILER_NAMES.iter().find(|(old, _)| old == name);
            if let Some((_, new)) = renamed {
                *name = (*new).to_owned();
            }
        }
        Ok(dependency)
    }

    /// `mpi=` or `c,cxx=` in front of a package's name.
    fn virtual_assignment(&mut self, dependency: &mut DependencyRequest) {
        let rest = self.cursor.rest();
        let Some((virtuals, provider)) = rest.split_once('=') else { return };
        let names = virtuals
            .split(',')
            .all(|name| name.chars().next().is_some_and(begins_name) && name.chars().all(is_name));
        if names && provider.chars().next().is_some_and(begins_name) {
            dependency.virtuals.extend(virtuals.split(',').map(str::to_owned));
            self.cursor.position += virtuals.len() + 1;
        }
    }

    /// `virtuals=mpi,lapack deptypes=build when='+x']`, behind `[`.
    fn edge_attributes(&mut self, dependency: &mut DependencyRequest) -> Result<(), ParseError> {
        loop {
            self.cursor.skip_space();
            if self.cursor.take_if("]") {
                return Ok(());
            }
            let start = self.cursor.position;
            let key = self.cursor.take_while(is_name);
            if key.is_empty() || !self.cursor.take_if("=") {
                return Err(self.cursor.error_here("an attribute such as `virtuals=mpi` or `]` is expected"));
            }
            let value = self.value()?;
            let span = start..self.cursor.position;
            self.edge_attribute(dependency, key, &value, span)?;
        }
    }

    fn edge_attribute(
        &self,
        dependency: &mut DependencyRequest,
        key: &str,
        value: &str,
        span: Range<usize>,
    ) -> Result<(), ParseError> {
        match key {
            "virtuals" => dependency.virtuals.extend(value.split(',').map(|name| name.trim().to_owned())),
            "deptypes" => dependency.types = self.dependency_types(value, span)?,
            "when" => {
                let inner = AbstractSpec::parse(value);
                let when = inner.map_err(|error| self.cursor.error(span, error.message))?;
                dependency.when = Some(Box::new(when));
            }
            _ => {
                let message = format!("a dependency has no attribute `{key}`");
                let help = Some("known are `virtuals`, `deptypes` and `when`".to_owned());
                return Err(ParseError { help, ..self.cursor.error(span, message) });
            }
        }
        Ok(())
    }

    /// A name and what constrains it, up to the next dependency or spec.
    fn node(&mut self) -> Result<AbstractSpec, ParseError> {
        let origin = Origin { text: Some(Arc::clone(&self.source)), marks: Vec::new() };
        let mut spec = AbstractSpec { origin, ..AbstractSpec::default() };
        self.cursor.skip_space();
        self.name(&mut spec)?;
        loop {
            let end = self.cursor.position;
            self.cursor.skip_space();
            match self.cursor.peek() {
                Some('@') => self.versions(&mut spec)?,
                Some('+' | '~') => self.boolean(&mut spec)?,
                Some('-') if self.cursor.after_space() => self.boolean(&mut spec)?,
                Some('/') => self.hash(&mut spec)?,
                Some(c) if begins_name(c) => {
                    if !self.key_value(&mut spec)? {
                        self.check_separated(end)?;
                        return Ok(spec);
                    }
                }
                None | Some('^' | '%') => return Ok(spec),
                Some(c) => return Err(self.cursor.error_here(format!("`{c}` is unexpected here"))),
            }
        }
    }

    /// Another spec begins behind white space only.
    fn check_separated(&self, end: usize) -> Result<(), ParseError> {
        if self.cursor.position > end || self.cursor.position == 0 {
            return Ok(());
        }
        Err(self.cursor.error_here("white space is missing before the next spec"))
    }

    fn name(&mut self, spec: &mut AbstractSpec) -> Result<(), ParseError> {
        if !self.cursor.peek().is_some_and(begins_name) || self.at_key_value() {
            return Ok(());
        }
        let start = self.cursor.position;
        let text = self.cursor.take_while(|c| is_name(c) || c == '.');
        let (namespace, name) =
            text.rsplit_once('.').map_or((None, text), |(space, name)| (Some(space), name));
        if name.is_empty() || namespace.is_some_and(|space| space.split('.').any(str::is_empty)) {
            let span = start..self.cursor.position;
            return Err(self.cursor.error(span, format!("`{text}` is no package name")));
        }
        spec.namespace = namespace.map(str::to_owned);
        spec.name = Some(name.to_owned());
        self.mark(spec, SpecPart::Name, start);
        Ok(())
    }

    fn boolean(&mut self, spec: &mut AbstractSpec) -> Result<(), ParseError> {
        let start = self.cursor.position;
        let sigil = self.cursor.peek().unwrap_or('+');
        self.cursor.position += 1;
        let propagate = self.cursor.take_if(sigil.encode_utf8(&mut [0; 4]));
        self.cursor.skip_space();
        if !self.cursor.peek().is_some_and(begins_name) {
            let span = start..self.cursor.position;
            return Err(self.cursor.error(span, format!("a variant's name is missing behind `{sigil}`")));
        }
        let name = self.cursor.take_while(|c| is_name(c) || c == '.').to_owned();
        let request = VariantRequest { propagate, ..VariantRequest::boolean(sigil == '+') };
        self.add_variant(spec, name, request, start)
    }

    pub(super) fn add_variant(
        &self,
        spec: &mut AbstractSpec,
        name: String,
        request: VariantRequest,
        start: usize,
    ) -> Result<(), ParseError> {
        if spec.variants.contains_key(&name) {
            let span = start..self.cursor.position;
            return Err(self.cursor.error(span, format!("variant `{name}` is given twice")));
        }
        self.mark(spec, SpecPart::Variant(name.clone()), start);
        spec.variants.insert(name, request);
        Ok(())
    }

    fn hash(&mut self, spec: &mut AbstractSpec) -> Result<(), ParseError> {
        let start = self.cursor.position;
        self.cursor.position += 1;
        let hash = self.cursor.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        if hash.is_empty() {
            return Err(self.cursor.error(start..start + 1, "a hash is missing behind `/`"));
        }
        spec.hash = Some(hash.to_owned());
        self.mark(spec, SpecPart::Hash, start);
        Ok(())
    }

    pub(super) fn mark(&self, spec: &mut AbstractSpec, part: SpecPart, start: usize) {
        spec.origin.marks.push((part, start..self.cursor.position));
    }
}
