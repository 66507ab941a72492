//! Fetches an archive by checksum: `cargo run -p spack-wasm-source --example fetch CACHE SHA256 [URL…]`.
use spack_wasm_source::*;
#[tokio::main]
async fn main() {
    let args: Vec<_> = std::env::args().collect();
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let cache = std::path::PathBuf::from(&args[1]);
    let fetcher = Fetcher::new(FetchOptions {
        apt: Some(AptOptions::new(cache.join("apt"))),
        ..FetchOptions::new(cache)
    })
    .unwrap();
    let choice = ArchiveChoice {
        checksum: Some(args[2].parse().unwrap()),
        urls: args[3..].to_vec(),
        extension: Some("tar.gz".into()),
    };
    let request = Request { package: "p".into(), version: "1".into(), archives: vec![choice], expand: true };
    let start = std::time::Instant::now();
    match fetcher.fetch(&request, &|event| println!("{:?} {event:?}", start.elapsed())).await {
        Ok(done) => println!("{:?} {done:?}", start.elapsed()),
        Err(error) => println!("{error}"),
    }
}
