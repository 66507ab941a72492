//! The recipe host: wasmtime engine, component cache, limits, the host side of the contract.
