//! libjpeg-turbo without its routines in assembler: they need nasm, for which there is no recipe.

use spack_wasm_sdk::prelude::*;

struct LibjpegTurbo;

const REPOSITORY: &str = "https://github.com/libjpeg-turbo/libjpeg-turbo";

/// The commits that bring the variant to a release which has it not, and the SHA-256 of their patches.
const PARTIAL_DECODER: &[(&str, &str)] = &[
    (
        "09c71da06a6346dca132db66f26f959f7e4dd5ad",
        "4d5bdfb5de5b04399144254ea383f5357ab7beb830b398aeb35b65f21dd6b4b0",
    ),
    (
        "640d7ee1917fcd3b6a5271aa6cf4576bccc7c5fb",
        "dc1ec567c2356b652100ecdc28713bbf25f544e46f7d2947f31a2395c362cc48",
    ),
];

impl Recipe for LibjpegTurbo {
    fn describe() -> Package {
        package("libjpeg-turbo", "A JPEG codec with the interface of the IJG's libjpeg.")
            .homepage("https://libjpeg-turbo.org/")
            .url("https://github.com/libjpeg-turbo/libjpeg-turbo/archive/3.1.3.tar.gz")
            .license("BSD-3-Clause AND IJG AND Zlib")
            .build_system(CMAKE)
            .release("3.1.3", "3a13a5ba767dc8264bc40b185e41368a80d5d5f945944d1dbaa4b2fb0099f4e5")
            .release("3.0.4", "0270f9496ad6d69e743f1e7b9e3e9398f5b4d606b6a47744df4b73df50f62e38")
            .release("3.0.3", "a649205a90e39a548863a3614a9576a3fb4465f8e8e66d54999f127957c25b21")
            .release("3.0.2", "29f2197345aafe1dcaadc8b055e4cbec9f35aad2a318d61ea081f835af2eebe9")
            .release("3.0.1", "5b9bbca2b2a87c6632c821799438d358e27004ab528abf798533c15d50b39f82")
            .release("3.0.0", "171dae5d73560bc94006a7c0c3281bd9bfde6a34f7e41e66f930a1a9162bd7df")
            .release("2.1.5.1", "61846251941e5791005fb7face196eec24541fce04f12570c308557529e92c75")
            .preferred_release("2.1.5", "254f3642b04e309fee775123133c6464181addc150499561020312ec61c1bf7c")
            .release("2.1.4", "a78b05c0d8427a90eb5b4eb08af25309770c8379592bb0b8a863373128e6143f")
            .release("2.1.3", "dbda0c685942aa3ea908496592491e5ec8160d2cf1ec9d5fd5470e50768e7859")
            .release("2.1.2", "e7fdc8a255c45bc8fbd9aa11c1a49c23092fcd7379296aeaeb14d3343a3d1bed")
            .release("2.1.1", "20e9cd3e5f517950dfb7a300ad344543d88719c254407ffb5ad88d891bf701c4")
            .release("2.1.0", "d6b7790927d658108dfd3bee2f0c66a2924c51ee7f9dc930f62c452f4a638c52")
            .release("2.0.6", "005aee2fcdca252cee42271f7f90574dda64ca6505d9f8b86ae61abc2b426371")
            .release("2.0.5", "b3090cd37b5a8b3e4dbd30a1311b3989a894e5d3c668f14cbc6739d77c9402b7")
            .release("2.0.4", "7777c3c19762940cff42b3ba4d7cd5c52d1671b39a79532050c85efb99079064")
            .release("2.0.3", "a69598bf079463b34d45ca7268462a18b6507fdaa62bb1dfd212f02041499b5d")
            .release("2.0.2", "b45255bd476c19c7c6b198c07c0487e8b8536373b82f2b38346b32b4fa7bb942")
            .release("1.5.90", "cb948ade92561d8626fd7866a4a7ba3b952f9759ea3dd642927bc687470f60b7")
            .variant(
                choice("libs", "shared", &["shared", "static"], "Build shared libs, static libs, or both")
                    .defaults(&["shared", "static"]),
            )
            .variant(boolean("jpeg8", false, "Emulate libjpeg v8 API/ABI"))
            .variant(boolean("pic", true, "Enable position independent code").when("libs=static"))
            .variant(boolean(
                "partial_decoder",
                false,
                "add partial_decode_scale functionality required for rocAL",
            ))
            .depends_on(build_dependency("c"))
            .depends_on(build_dependency("cxx"))
            .patches(PARTIAL_DECODER.iter().map(|(commit, sha256)| {
                let url = format!("{REPOSITORY}/commit/{commit}.patch?full_index=1");
                fetched_patch(&url, sha256).when("@2.0.6 +partial_decoder")
            }))
            .provides("jpeg")
    }

    fn cmake_args(build: &Build) -> Result<Vec<String>> {
        let spec = build.spec();
        let mut arguments = vec![
            define("ENABLE_SHARED", spec.has("libs=shared")),
            define("ENABLE_STATIC", spec.has("libs=static")),
            define("WITH_JPEG8", spec.has("+jpeg8")),
            define("WITH_SIMD", false),
        ];
        // Its tests compare bytes: compilers contract floating point expressions where the processor can.
        if spec.has("target=x86_64_v3:") {
            arguments.push(define("FLOATTEST", "fp-contract"));
        }
        if spec.has("libs=static") {
            arguments.push(define("CMAKE_POSITION_INDEPENDENT_CODE", spec.has("+pic")));
        }
        Ok(arguments)
    }

    fn libraries(spec: &Spec, _query: &[String]) -> Result<Option<Libraries>> {
        find_libraries(&["libjpeg"], spec.prefix(), spec.has("libs=shared")).map(Some)
    }
}

recipe!(LibjpegTurbo);
