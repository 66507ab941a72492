//! What WASI shows a recipe: its folders, pinned clocks, seeded randomness; no environment, no arguments, no network.

use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use sha2::{Digest, Sha256};
use wasmtime_wasi::{FsPerms, WasiCtx};

use crate::clocks::{Pinned, Virtual};
use crate::folders::{Access, Folder};
use crate::output::Tail;

/// What makes one context differ from another.
pub(crate) struct Surroundings<'a> {
    pub(crate) folders: &'a [Folder],
    /// What seeds the random numbers: the spec's hash, or the package's name where there is no spec.
    pub(crate) seed: &'a str,
    /// Seconds since 1970 at which the wall clock stands.
    pub(crate) source_date: u64,
    pub(crate) clock: &'a Virtual,
    pub(crate) stderr: &'a Tail,
}

pub(crate) fn context(surroundings: &Surroundings<'_>) -> wasmtime::Result<WasiCtx> {
    let mut builder = WasiCtx::builder();
    builder
        // The instance's thread has taken the build's user for its file access; another thread hasn't.
        .allow_blocking_current_thread(true)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .wall_clock(Pinned(Duration::from_secs(surroundings.source_date)))
        .monotonic_clock(surroundings.clock.clone())
        .secure_random(generator(surroundings.seed, "secure"))
        .insecure_random(generator(surroundings.seed, "insecure"))
        .insecure_random_seed(u128::from_le_bytes(seed(surroundings.seed, "seed")))
        .max_random_size(1 << 20)
        .stdout(surroundings.stderr.clone())
        .stderr(surroundings.stderr.clone());
    for folder in surroundings.folders {
        let permissions = match folder.access {
            Access::Read => FsPerms::ReadOnly,
            Access::Write => FsPerms::ReadWrite,
        };
        builder.preopened_dir(&folder.host, &folder.guest, permissions)?;
    }
    Ok(builder.build())
}

fn seed<const N: usize>(text: &str, purpose: &str) -> [u8; N] {
    let digest = Sha256::digest(format!("spack-wasm random {purpose} {text}"));
    std::array::from_fn(|index| digest[index])
}

fn generator(text: &str, purpose: &str) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(seed(text, purpose))
}
