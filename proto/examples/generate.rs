//! Regenerates `src/gen` from the `.proto` files, in pure Rust: `cargo run -p ecmo-proto --example generate`.

#[path = "../tests/it/generation.rs"]
mod generation;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    generation::generate(&generation::source_dir().join("src/gen"))?;
    Ok(())
}
