//! The concretizer: abstract specs to a concrete DAG, with explanations.
