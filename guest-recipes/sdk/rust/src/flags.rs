use crate::bindings::exports::spack_wasm::recipe::answers::FlagPlacement;

/// Where the compiler flags that the user gave go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlacedFlags {
    /// The compiler wrapper adds them to each command line.
    pub inject: Vec<String>,
    /// They are put into the variable of their kind, for example `CFLAGS`.
    pub environment: Vec<String>,
    /// The recipe hands them to the build system itself.
    pub build_system: Vec<String>,
}

impl PlacedFlags {
    /// All are added by the compiler wrapper.
    pub fn injected(flags: &[String]) -> Self {
        Self { inject: flags.to_vec(), ..Self::default() }
    }

    /// All are put into the environment.
    pub fn in_environment(flags: &[String]) -> Self {
        Self { environment: flags.to_vec(), ..Self::default() }
    }

    /// All are handed to the build system by the recipe.
    pub fn to_build_system(flags: &[String]) -> Self {
        Self { build_system: flags.to_vec(), ..Self::default() }
    }

    pub(crate) fn into_contract(self) -> FlagPlacement {
        let Self { inject, environment, build_system } = self;
        FlagPlacement { inject, environment, build_system }
    }
}
