//! The versions and where their archives are.

use spack_wasm_sdk::prelude::*;

/// Version and SHA-256 of upstream's archive, newest first.
///
/// Of Spack's list are left out: 2.x, which only CMake builds; 1.8.10, which asks the compiler for C89 and isn't, so that Spack
/// patches it; the branches `develop-*`, in which `configure` does not exist yet.
const RELEASES: &[(&str, &str)] = &[
    ("1.14.6", "e4defbac30f50d64e1556374aa49e574417c9e72c6b1de7a4ff88c4b1bea6e9b"),
    ("1.14.5", "ec2e13c52e60f9a01491bb3158cb3778c985697131fc6a342262d32a26e58e44"),
    ("1.14.4-3", "019ac451d9e1cf89c0482ba2a06f07a46166caf23f60fea5ef3c37724a318e03"),
    ("1.14.3", "09cdb287aa7a89148c1638dd20891fdbae08102cf433ef128fd345338aa237c7"),
    ("1.14.2", "1c342e634008284a8c2794c8e7608e2eaf26d01d445fb3dfd7f33cb2fb51ac53"),
    ("1.14.1-2", "cbe93f275d5231df28ced9549253793e40cd2b555e3d288df09d7b89a9967b07"),
    ("1.14.0", "a571cc83efda62e1a51a0a912dd916d01895801c5025af91669484a1575a6ef4"),
    ("1.12.3", "c15adf34647918dd48150ea1bd9dffd3b32a3aec5298991d56048cc3d39b4f6f"),
    ("1.12.2", "2a89af03d56ce7502dcae18232c241281ad1773561ec00c0f0e8ee2463910f14"),
    ("1.12.1", "79c66ff67e666665369396e9c90b32e238e501f345afd2234186bfb8331081ca"),
    ("1.12.0", "a62dcb276658cb78e6795dd29bf926ed7a9bc4edf6e77025cd2c689a8f97c17a"),
    ("1.10.11", "341684c5c0976b8c7e6951735a400275a90693604464cac73e9f323c696fc79c"),
    ("1.10.10", "a6877ab7bd5d769d2d68618fdb54beb50263dcc2a8c157fe7e2186925cdb02db"),
    ("1.10.9", "f5b77f59b705a755a5a223372d0222c7bc408fe8db6fa8d9d7ecf8bce291b8dd"),
    ("1.10.8", "d341b80d380dd763753a0ebe22915e11e87aac4e44a084a850646ff934d19c80"),
    ("1.10.7", "7a1a0a54371275ce2dfc5cd093775bb025c365846512961e7e5ceaecb437ef15"),
    ("1.10.6", "5f9a3ee85db4ea1d3b1fa9159352aebc2af72732fc2f58c96a3f0768dba0e9aa"),
    ("1.10.5", "6d4ce8bf902a97b050f6f491f4268634e252a63dadd6656a1a9be5b7b7726fa8"),
    ("1.10.4", "8f60dc4dd6ab5fcd23c750d1dc5bca3d0453bdce5c8cdaf0a4a61a9d1122adb2"),
    ("1.10.3", "b600d7c914cfa80ae127cd1a1539981213fee9994ac22ebec9e3845e951d9b39"),
    ("1.10.2", "bfec1be8c366965a99812cf02ddc97e4b708c1754fccba5414d4adccdc073866"),
    ("1.10.1", "048a9d149fb99aaa1680a712963f5a78e9c43b588d0e79d55e06760ec377c172"),
    ("1.10.0-patch1", "6e78cfe32a10e6e0629393cdfddf6cfa536571efdaf85f08e35326e1b4e9eff0"),
    ("1.10.0", "81f6201aba5c30dced5dcd62f5d5477a2790fd5850e02ac514ca8bf3e2bb375a"),
    ("1.8.23", "37fa4eb6cd0e181eb49a10d54611cb00700e9537f805d03e6853503afe5abc27"),
    ("1.8.22", "8406d96d9355ef8961d2739fb8fd5474ad4cdf52f3cfac657733defd9709bfaa"),
    ("1.8.21", "87d8c82eba5cf766d97cd06c054f4639c1049c4adeaa3a79f77f8bd374f80f37"),
    ("1.8.19", "a4335849f19fae88c264fd0df046bc321a78c536b2548fc508627a790564dc38"),
    ("1.8.18", "cdb195ad8d9e6782acf24b2488061289f615628c2ccda8457b0a0c3fb7a8a063"),
    ("1.8.17", "d9cda297ee76ade9881c4208987939250d397bae6252d0ccb66fa7d24d67e263"),
    ("1.8.16", "ed17178abd9928a7237f30370189ba767b9e39e0db45917c2ac4665eb9cb4771"),
    ("1.8.15", "4e963216b7d32469596bc1321a8c3f6e0c278dcbbdb7be6414c63c081b34c275"),
    ("1.8.14", "1dbefeeef7f591897c632b2b090db96bb8d35ad035beaa36bc39cb2bc67e0639"),
    ("1.8.13", "82f6b38eec103b4fccfbf14892786e0c27a8135d3252d8601cf5bf20066d38c1"),
    ("1.8.12", "b5cccea850096962b5fd9e96f22c4f47d2379224bb41130d9bc038bb6c37dfcb"),
];

/// Debian's archive of 1.10.8, without the files that Debian may not pass on; it has all that `configure` and `make` need.
const REPACKED_1_10_8: &str = "7b38e58ff83b13fd8959a90b13bf896bc318ba096c940ab0847abf3ad41a0b31";

const SITE: &str = "https://support.hdfgroup.org";

pub(crate) fn declared() -> impl Iterator<Item = Version> {
    RELEASES.iter().map(|(name, sha256)| {
        let declared = version(name).sha256(sha256);
        match *name {
            "1.10.8" => declared.sha256(REPACKED_1_10_8).preferred(),
            _ => declared,
        }
    })
}

/// Upstream moved its archives: those of 1.14 have a folder for each release, without the packaging number behind the dash,
/// older ones are in the archive of the former FTP server.
pub(crate) fn url(version: &str) -> Option<String> {
    let (release, _) = version.split_once('-').unwrap_or((version, ""));
    let mut numbers = release.split('.');
    let (major, minor) = (numbers.next()?, numbers.next()?);
    let series = format!("{major}.{minor}");
    Some(match series.as_str() {
        "1.14" => {
            let folders = format!("v{major}_{minor}/v{}", release.replace('.', "_"));
            format!("{SITE}/releases/hdf5/{folders}/downloads/hdf5-{version}.tar.gz")
        }
        _ => {
            let folders = format!("hdf5-{series}/hdf5-{version}/src");
            format!("{SITE}/archive/support/ftp/HDF5/releases/{folders}/hdf5-{version}.tar.gz")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn each_series_has_its_own_address() {
        let addresses =
            ["1.14.4-3", "1.14.6", "1.10.8", "1.10.0-patch1"].map(|version| url(version).unwrap());
        assert_eq!(
            addresses,
            [
                "https://support.hdfgroup.org/releases/hdf5/v1_14/v1_14_4/downloads/hdf5-1.14.4-3.tar.gz",
                "https://support.hdfgroup.org/releases/hdf5/v1_14/v1_14_6/downloads/hdf5-1.14.6.tar.gz",
                "https://support.hdfgroup.org/archive/support/ftp/HDF5/releases/hdf5-1.10/hdf5-1.10.8/src/hdf5-1.10.8.tar.gz",
                "https://support.hdfgroup.org/archive/support/ftp/HDF5/releases/hdf5-1.10/hdf5-1.10.0-patch1/src/hdf5-1.10.0-patch1.tar.gz",
            ]
        );
    }
}
