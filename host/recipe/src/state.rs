use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::clocks::Virtual;
use crate::deadline::Deadline;
use crate::folders::Folders;
use crate::limits::Meter;
use crate::open_files::OpenFiles;
use crate::output::Tail;
use crate::{Services, Subject};

/// All that one instance of a recipe has.
pub(crate) struct State {
    pub(crate) wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) meter: Meter,
    pub(crate) deadline: Deadline,
    pub(crate) clock: Virtual,
    pub(crate) stderr: Tail,
    pub(crate) folders: Folders,
    pub(crate) open_files: OpenFiles,
    pub(crate) subject: Subject,
    pub(crate) services: Box<dyn Services>,
    /// Parts of a stand-alone test that the recipe called failed.
    pub(crate) failed_parts: Vec<String>,
}

impl State {
    /// Does something for the guest that may take long; the time doesn't count against the guest's.
    pub(crate) fn serve<T>(&mut self, work: impl FnOnce(&mut dyn Services) -> T) -> T {
        let started = std::time::Instant::now();
        let result = work(self.services.as_mut());
        self.deadline.waited(started.elapsed());
        result
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
