//! GNU's patches of each release, which it numbers from 001 on.

use spack_wasm_sdk::prelude::*;

/// A release and the SHA-256 of its patches, in their order.
const RELEASES: &[(&str, &[&str])] = &[
    (
        "8.3",
        &[
            "21f0a03106dbe697337cd25c70eb0edbaa2bdb6d595b45f83285cdd35bac84de",
            "e27364396ba9f6debf7cbaaf1a669e2b2854241ae07f7eca74ca8a8ba0c97472",
            "72dee13601ce38f6746eb15239999a7c56f8e1ff5eb1ec8153a1f213e4acdb29",
        ],
    ),
    (
        "8.2",
        &[
            "bbf97f1ec40a929edab5aa81998c1e2ef435436c597754916e6a5868f273aff7",
            "e06503822c62f7bc0d9f387d4c78c09e0ce56e53872011363c74786c7cd4c053",
            "24f587ba46b46ed2b1868ccaf9947504feba154bb8faabd4adaea63ef7e6acb0",
            "79572eeaeb82afdc6869d7ad4cba9d4f519b1218070e17fa90bbecd49bd525ac",
            "622ba387dae5c185afb4b9b20634804e5f6c1c6e5e87ebee7c35a8f065114c99",
            "c7b45ff8c0d24d81482e6e0677e81563d13c74241f7b86c4de00d239bc81f5a1",
            "5911a5b980d7900aabdbee483f86dab7056851e6400efb002776a0a4a1bab6f6",
            "a177edc9d8c9f82e8c19d0630ab351f3fd1b201d655a1ddb5d51c4cee197b26a",
            "3d9885e692e1998523fd5c61f558cecd2aafd67a07bd3bfe1d7ad5a31777a116",
            "758e2ec65a0c214cfe6161f5cde3c5af4377c67d820ea01d13de3ca165f67b4c",
            "e0013d907f3a9e6482cc0934de1bd82ee3c3c4fd07a9646aa9899af237544dd7",
            "6c8adf8ed4a2ca629f7fd11301ed6293a6248c9da0c674f86217df715efccbd3",
            "1ea434957d6ec3a7b61763f1f3552dad0ebdd6754d65888b5cd6d80db3a788a8",
        ],
    ),
    (
        "8.1",
        &[
            "682a465a68633650565c43d59f0b8cdf149c13a874682d3c20cb4af6709b9144",
            "e55be055a68cb0719b0ccb5edc9a74edcc1d1f689e8a501525b3bc5ebad325dc",
        ],
    ),
    (
        "8.0",
        &[
            "d8e5e98933cf5756f862243c0601cb69d3667bb33f2c7b751fe4e40b2c3fd069",
            "36b0febff1e560091ae7476026921f31b6d1dd4c918dcb7b741aa2dad1aec8f7",
            "94ddb2210b71eb5389c7756865d60e343666dfb722c85892f8226b26bb3eeaef",
            "b1aa3d2a40eee2dea9708229740742e649c32bb8db13535ea78f8ac15377394c",
        ],
    ),
    (
        "7.0",
        &[
            "9ac1b3ac2ec7b1bf0709af047f2d7d2a34ccde353684e57c6b47ebca77d7a376",
            "8747c92c35d5db32eae99af66f17b384abaca961653e185677f9c9a571ed2d58",
            "9e43aa93378c7e9f7001d8174b1beb948deefa6799b6f581673f465b7d9d4780",
            "f925683429f20973c552bff6702c74c58c2a38ff6e5cf305a8e847119c5a6b64",
            "ca159c83706541c6bbe39129a33d63bbd76ac594303f67e4d35678711c51b753",
        ],
    ),
    (
        "6.3",
        &[
            "1a79bbb6eaee750e0d6f7f3d059b30a45fc54e8e388a8e05e9c3ae598590146f",
            "39e304c7a526888f9e112e733848215736fb7b9d540729b9e31f3347b7a1e0a5",
            "ec41bdd8b00fd884e847708513df41d51b1243cecb680189e31b7173d01ca52f",
            "4547b906fb2570866c21887807de5dee19838a60a1afb66385b272155e4355cc",
            "877788f9228d1a9907a4bcfe3d6dd0439c08d728949458b41208d9bf9060274b",
            "5c237ab3c6c97c23cf52b2a118adc265b7fb411b57c93a5f7c221d50fafbe556",
            "4d79b5a2adec3c2e8114cbd3d63c1771f7c6cf64035368624903d257014f5bea",
            "3bc093cf526ceac23eb80256b0ec87fa1735540d659742107b6284d635c43787",
        ],
    ),
];

/// Those of the preferred release are in the recipe's folder, since it is to be had where GNU's servers are not.
const IN_FOLDER: &str = "8.2";

pub(crate) fn declared() -> impl Iterator<Item = Patch> {
    RELEASES.iter().flat_map(|(release, digests)| {
        let numbered = (1..).zip(*digests);
        numbered
            .map(move |(number, sha256)| one(release, number, sha256).level(0).when(&format!("@{release}")))
    })
}

fn one(release: &str, number: u32, sha256: &str) -> Patch {
    let name = format!("readline{}-{number:03}", release.replace('.', ""));
    if release == IN_FOLDER {
        return patch(&format!("{name}.patch"));
    }
    fetched_patch(&format!("https://ftpmirror.gnu.org/readline/readline-{release}-patches/{name}"), sha256)
}
