use spack_wasm_spec::Architecture;
use wasmtime::bail;

use crate::bindings::machine::Host;
use crate::state::State;

/// What every recipe is told, whatever the machine has: results must not depend on it. The job budget is the host's.
const CPU_COUNT: u32 = 8;

impl State {
    fn machine(&self) -> wasmtime::Result<&(Architecture, String)> {
        match &self.subject.machine {
            Some(machine) => Ok(machine),
            None => bail!("`machine` has no answers before the spec is concrete: declare conditions instead"),
        }
    }
}

impl Host for State {
    fn platform(&mut self) -> wasmtime::Result<String> {
        Ok(self.machine()?.0.platform.clone())
    }

    fn operating_system(&mut self) -> wasmtime::Result<String> {
        Ok(self.machine()?.0.os.clone())
    }

    fn target(&mut self) -> wasmtime::Result<String> {
        Ok(self.machine()?.0.target.clone())
    }

    fn family(&mut self) -> wasmtime::Result<String> {
        Ok(self.machine()?.1.clone())
    }

    fn cpu_count(&mut self) -> wasmtime::Result<u32> {
        Ok(CPU_COUNT)
    }
}
