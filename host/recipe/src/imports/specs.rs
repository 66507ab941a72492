use std::sync::Arc;

use spack_wasm_build_systems::compiler_flag;
use spack_wasm_spec::{AbstractSpec, Architecture, Dag, DependencyType, DependencyTypes, Node, VariantValue};
use wasmtime::bail;
use wasmtime::component::Resource;

use crate::bindings::specs::{AskError, Compiler, HeaderAnswer, Host, HostConcreteSpec};
use crate::bindings::types;
use crate::services::{self, Answer, Question};
use crate::state::State;

/// What a guest's handle of a concrete spec stands for.
#[derive(Clone, Debug)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct SpecHandle(Arc<Node>);

impl SpecHandle {
    pub(crate) fn new(node: Arc<Node>) -> Self {
        Self(node)
    }
}

type Handle = Resource<SpecHandle>;

impl State {
    fn node(&self, handle: &Handle) -> wasmtime::Result<Arc<Node>> {
        Ok(Arc::clone(&self.table.get(handle)?.0))
    }

    fn dag(&self) -> wasmtime::Result<Arc<Dag>> {
        match &self.subject.spec {
            Some((dag, _)) => Ok(Arc::clone(dag)),
            None => bail!("there is no concrete spec while a recipe declares its package"),
        }
    }

    pub(crate) fn prefix_of(&self, node: &Node) -> Option<String> {
        let prefix = self.subject.prefixes.get(&node.hash);
        let prefix = prefix.or_else(|| node.facts.external.as_ref().map(|external| &external.path));
        prefix.map(|path| path.display().to_string())
    }

    fn handle(&mut self, node: Arc<Node>) -> wasmtime::Result<Handle> {
        Ok(self.table.push(SpecHandle(node))?)
    }

    fn ask(&mut self, handle: &Handle, question: Question) -> wasmtime::Result<Result<Answer, AskError>> {
        let node = self.node(handle)?;
        Ok(self.serve(|services| services.ask(&node, question)).map_err(|error| match error {
            services::AskError::Nothing(what) => AskError::Nothing(what),
            services::AskError::Failed(reason) => AskError::Failed(reason),
        }))
    }
}

impl Host for State {
    fn this(&mut self) -> wasmtime::Result<Handle> {
        match &self.subject.spec {
            Some((_, node)) => self.handle(Arc::clone(node)),
            None => bail!("there is no concrete spec while a recipe declares its package"),
        }
    }
}

impl HostConcreteSpec for State {
    fn name(&mut self, this: Handle) -> wasmtime::Result<String> {
        Ok(self.node(&this)?.facts.name.clone())
    }

    fn version(&mut self, this: Handle) -> wasmtime::Result<String> {
        Ok(self.node(&this)?.facts.version.to_string())
    }

    fn namespace(&mut self, this: Handle) -> wasmtime::Result<String> {
        Ok(self.node(&this)?.facts.namespace.clone())
    }

    fn hash(&mut self, this: Handle) -> wasmtime::Result<String> {
        Ok(self.node(&this)?.hash.to_string())
    }

    fn prefix(&mut self, this: Handle) -> wasmtime::Result<String> {
        let node = self.node(&this)?;
        match self.prefix_of(&node) {
            Some(prefix) => Ok(prefix),
            None => bail!("{} has no prefix on this machine", node.name()),
        }
    }

    fn is_external(&mut self, this: Handle) -> wasmtime::Result<bool> {
        Ok(self.node(&this)?.is_external())
    }

    fn platform(&mut self, this: Handle) -> wasmtime::Result<String> {
        Ok(self.architecture(&this)?.platform)
    }

    fn operating_system(&mut self, this: Handle) -> wasmtime::Result<String> {
        Ok(self.architecture(&this)?.os)
    }

    fn target(&mut self, this: Handle) -> wasmtime::Result<String> {
        Ok(self.architecture(&this)?.target)
    }

    fn variant_value(&mut self, this: Handle, name: String) -> wasmtime::Result<Option<types::VariantValue>> {
        Ok(self.node(&this)?.facts.variants.get(&name).map(contract_value))
    }

    fn variants(&mut self, this: Handle) -> wasmtime::Result<Vec<(String, types::VariantValue)>> {
        let node = self.node(&this)?;
        Ok(node.facts.variants.iter().map(|(name, value)| (name.clone(), contract_value(value))).collect())
    }

    fn compiler_flags(&mut self, this: Handle, kind: String) -> wasmtime::Result<Vec<String>> {
        Ok(self.node(&this)?.facts.flags.get(&kind).cloned().unwrap_or_default())
    }

    fn satisfies(&mut self, this: Handle, condition: String) -> wasmtime::Result<Result<bool, String>> {
        let (dag, node) = (self.dag()?, self.node(&this)?);
        let parsed = AbstractSpec::parse(&condition);
        Ok(parsed.map(|spec| spec.satisfied_by(&dag, &node)).map_err(|error| error.to_string()))
    }

    fn dependency(&mut self, this: Handle, name: String) -> wasmtime::Result<Option<Handle>> {
        let (dag, node) = (self.dag()?, self.node(&this)?);
        let found = find_dependency(&dag, &node, &name);
        found.map(|node| self.handle(node)).transpose()
    }

    fn dependencies(&mut self, this: Handle, types: types::DependencyTypes) -> wasmtime::Result<Vec<Handle>> {
        let (dag, node, types) = (self.dag()?, self.node(&this)?, own_types(types));
        let edges = node.dependencies.iter().filter(|edge| edge.types.intersects(types));
        let nodes: Vec<_> = edges.filter_map(|edge| dag.dependency(edge).cloned()).collect();
        nodes.into_iter().map(|node| self.handle(node)).collect()
    }

    fn compiler(&mut self, this: Handle, language: String) -> wasmtime::Result<Option<Compiler>> {
        let (dag, node) = (self.dag()?, self.node(&this)?);
        let provider = node.provider_of(&language).and_then(|edge| dag.dependency(edge));
        let Some(facts) = provider.map(|node| &node.facts) else { return Ok(None) };
        let Some(path) = self.services.compiler(&language) else { return Ok(None) };
        Ok(Some(Compiler { name: facts.name.clone(), version: facts.version.to_string(), path }))
    }

    fn compiler_flag(
        &mut self,
        this: Handle,
        language: String,
        feature: String,
    ) -> wasmtime::Result<Result<String, String>> {
        let (dag, node) = (self.dag()?, self.node(&this)?);
        let provider = node.provider_of(&language).and_then(|edge| dag.dependency(edge));
        let Some(facts) = provider.map(|node| &node.facts) else {
            return Ok(Err(format!("{} does not depend on '{language}'", node.name())));
        };
        let flag = compiler_flag(&facts.name, facts.version.as_str(), &feature);
        Ok(flag.map_err(|error| error.to_string()))
    }

    fn libraries(
        &mut self,
        this: Handle,
        query: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<String>, AskError>> {
        Ok(self.ask(&this, Question::Libraries(query))?.map(|answer| match answer {
            Answer::Libraries(paths) => paths,
            Answer::Headers(_) | Answer::Text(_) | Answer::Environment(_) => Vec::new(),
        }))
    }

    fn headers(
        &mut self,
        this: Handle,
        query: Vec<String>,
    ) -> wasmtime::Result<Result<HeaderAnswer, AskError>> {
        Ok(self.ask(&this, Question::Headers(query))?.map(|answer| match answer {
            Answer::Headers(headers) => {
                HeaderAnswer { directories: headers.directories, files: headers.files }
            }
            Answer::Libraries(_) | Answer::Text(_) | Answer::Environment(_) => {
                HeaderAnswer { directories: Vec::new(), files: Vec::new() }
            }
        }))
    }

    fn command(&mut self, this: Handle, query: Vec<String>) -> wasmtime::Result<Result<String, AskError>> {
        Ok(self.ask(&this, Question::Command(query))?.map(text))
    }

    fn home(&mut self, this: Handle) -> wasmtime::Result<Result<String, AskError>> {
        Ok(self.ask(&this, Question::Home)?.map(text))
    }

    fn offered(&mut self, this: Handle, name: String) -> wasmtime::Result<Result<String, AskError>> {
        Ok(self.ask(&this, Question::Offered(name))?.map(text))
    }

    fn run_environment(
        &mut self,
        this: Handle,
    ) -> wasmtime::Result<Result<Vec<types::EnvironmentChange>, AskError>> {
        Ok(self.ask(&this, Question::RunEnvironment)?.map(|answer| match answer {
            Answer::Environment(changes) => changes,
            Answer::Libraries(_) | Answer::Headers(_) | Answer::Text(_) => Vec::new(),
        }))
    }

    fn text(&mut self, this: Handle) -> wasmtime::Result<String> {
        let node = self.node(&this)?;
        let variants = node.facts.variants.iter().map(|(name, value)| format!(" {}", value.display(name)));
        Ok(format!(
            "{}{} arch={}",
            node.name_version(),
            variants.collect::<String>(),
            node.facts.architecture
        ))
    }

    fn drop(&mut self, this: Handle) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl State {
    fn architecture(&self, handle: &Handle) -> wasmtime::Result<Architecture> {
        Ok(self.node(handle)?.facts.architecture.clone())
    }
}

/// A direct dependency of that name or that provides it, else one that is linked or run, else any.
fn find_dependency(dag: &Dag, node: &Node, name: &str) -> Option<Arc<Node>> {
    let direct = node.provider_of(name).or_else(|| node.dependencies.iter().find(|edge| edge.name == name));
    if let Some(edge) = direct {
        return dag.dependency(edge).cloned();
    }
    let matches = |candidate: &Arc<Node>| {
        candidate.name() == name
            || dag
                .dependents(&candidate.hash)
                .any(|above| above.provider_of(name).is_some_and(|edge| edge.hash == candidate.hash))
    };
    let used = DependencyTypes::from_iter([DependencyType::Link, DependencyType::Run]);
    let every = DependencyType::ALL.into_iter().collect();
    [used, every].into_iter().find_map(|types| dag.closure(node, types).into_iter().find(matches))
}

fn text(answer: Answer) -> String {
    match answer {
        Answer::Text(text) => text,
        Answer::Libraries(_) | Answer::Headers(_) | Answer::Environment(_) => String::new(),
    }
}

fn contract_value(value: &VariantValue) -> types::VariantValue {
    match value {
        VariantValue::Bool(value) => types::VariantValue::Boolean(*value),
        VariantValue::Single(value) => types::VariantValue::Single(value.clone()),
        VariantValue::Multi(values) => types::VariantValue::Multiple(values.iter().cloned().collect()),
    }
}

fn own_types(types: types::DependencyTypes) -> DependencyTypes {
    let named = [
        (types::DependencyTypes::BUILD, DependencyType::Build),
        (types::DependencyTypes::LINK, DependencyType::Link),
        (types::DependencyTypes::RUN, DependencyType::Run),
        (types::DependencyTypes::TEST, DependencyType::Test),
    ];
    named.into_iter().filter(|(flag, _)| types & *flag == *flag).map(|(_, kind)| kind).collect()
}
