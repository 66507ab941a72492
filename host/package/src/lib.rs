//! What a recipe declares, parsed and checked: the package model that the concretizer works on.
