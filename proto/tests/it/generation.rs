//! Turns the `.proto` files into Rust and a descriptor set; shared by the example that writes and the test that compares.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use protox::prost::Message;

/// The folder of this crate.
pub(crate) fn source_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Names of the `.proto` files, sorted.
pub(crate) fn proto_files() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files: Vec<PathBuf> = fs::read_dir(source_dir().join("ecmo/v1"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "proto"));
    files.sort();
    Ok(files)
}

/// Writes `ecmo.v1.rs` and `descriptor.bin` into `out`.
pub(crate) fn generate(out: &Path) -> Result<(), Box<dyn Error>> {
    let mut descriptors = protox::compile(proto_files()?, [source_dir()])?;
    fs::create_dir_all(out)?;
    tonic_prost_build::configure()
        .bytes(".")
        .out_dir(out)
        .client_mod_attribute("ecmo.v1", "#[cfg(feature = \"grpc\")]")
        .server_mod_attribute("ecmo.v1", "#[cfg(feature = \"grpc\")]")
        .compile_fds(descriptors.clone())?;
    // Reflection needs names and types; the comments would triple the size of every binary.
    for file in &mut descriptors.file {
        file.source_code_info = None;
    }
    fs::write(out.join("descriptor.bin"), descriptors.encode_to_vec())?;
    Ok(())
}
