use spack_wasm_build_systems::{self as logic, PlannedCommand, UnknownPhase};

use crate::bindings::build_systems::{Autotools, Cmake, Host, Makefile, Setting};
use crate::state::State;
use crate::types::{Command, EnvironmentAction, EnvironmentChange};

type Plan = wasmtime::Result<Result<Vec<Command>, String>>;

impl Host for State {
    fn plan_autotools(&mut self, options: Autotools, phase: String) -> Plan {
        let options = logic::Autotools {
            source: options.source,
            build: options.build,
            prefix: options.prefix,
            arguments: options.arguments,
            build_targets: options.build_targets,
            install_targets: options.install_targets,
            check_targets: options.check_targets,
        };
        Ok(plan(options.plan(&phase)))
    }

    fn plan_cmake(&mut self, options: Cmake, phase: String) -> Plan {
        let options = logic::CMake {
            source: options.source,
            build: options.build,
            prefix: options.prefix,
            generator: options.generator,
            build_type: options.build_type,
            interprocedural_optimization: options.interprocedural_optimization,
            prefix_path: options.prefix_path,
            run_path: options.run_path,
            arguments: options.arguments,
            build_targets: options.build_targets,
            install_targets: options.install_targets,
            check_targets: options.check_targets,
        };
        Ok(plan(options.plan(&phase)))
    }

    fn plan_makefile(&mut self, options: Makefile, phase: String) -> Plan {
        let options = logic::Makefile {
            source: options.source,
            build_targets: options.build_targets,
            install_targets: options.install_targets,
            check_targets: options.check_targets,
        };
        Ok(plan(options.plan(&phase)))
    }

    fn enable_or_disable(&mut self, name: String, value: Setting) -> wasmtime::Result<String> {
        Ok(setting(value).enable_or_disable(&name))
    }

    fn with_or_without(&mut self, name: String, value: Setting) -> wasmtime::Result<String> {
        Ok(setting(value).with_or_without(&name))
    }

    fn define(&mut self, name: String, value: Setting) -> wasmtime::Result<String> {
        Ok(setting(value).define(&name))
    }
}

fn setting(value: Setting) -> logic::Setting {
    match value {
        Setting::Boolean(value) => logic::Setting::Boolean(value),
        Setting::Text(value) => logic::Setting::Text(value),
        Setting::Texts(values) => logic::Setting::Texts(values),
    }
}

fn plan(planned: Result<Vec<PlannedCommand>, UnknownPhase>) -> Result<Vec<Command>, String> {
    let planned = planned.map_err(|error| error.to_string())?;
    Ok(planned.into_iter().map(command).collect())
}

fn command(planned: PlannedCommand) -> Command {
    let environment = planned.environment.into_iter().map(|(name, value)| EnvironmentChange {
        action: EnvironmentAction::Set,
        name,
        value,
        separator: String::new(),
    });
    Command {
        program: planned.program,
        arguments: planned.arguments,
        environment: environment.collect(),
        directory: Some(planned.directory),
        parallel: planned.parallel,
    }
}
