//! With the feature `embedded-ui`: lists the files of the built nurse station, so that the program carries them.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_EMBEDDED_UI").is_none() {
        return Ok(());
    }
    let gateway = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo names no crate")?);
    let dist = gateway.join("../dashboards/nurse-station/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    let Ok(dist) = dist
        .canonicalize()
        .and_then(|dist| fs::metadata(dist.join("index.html")).map(|_is_there| dist))
    else {
        println!(
            "cargo::error=the nurse station is not built, so the feature embedded-ui has nothing to embed: run `npm ci` and \
             `npm run build` in dashboards/nurse-station (Node 20.19 or newer), or build without the feature"
        );
        return Ok(());
    };
    let mut files = Vec::new();
    collect(&dist, &mut files)?;
    files.sort();
    let mut list =
        "/// Path and content of each file.\nconst FILES: &[(&str, &[u8])] = &[\n".to_owned();
    for file in files {
        let path = file.strip_prefix(&dist)?.to_str().ok_or("a file's name is no UTF-8")?;
        let place = file.to_str().ok_or("the path of the checkout is no UTF-8")?;
        writeln!(list, "    ({path:?}, include_bytes!({place:?})),")?;
    }
    list.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no folder")?);
    Ok(fs::write(out.join("page.rs"), list)?)
}

/// Every plain file below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}
