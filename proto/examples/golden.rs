//! Records the golden bytes of a release that has none yet: `cargo run -p ecmo-proto --example golden`.

#![allow(dead_code, reason = "the shared module also holds what only its tests call")]

use std::fs;

#[path = "../tests/it/golden/mod.rs"]
mod golden;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (release, messages) in golden::releases() {
        for (name, message) in messages {
            let file = golden::file(release, name);
            // A recording is the promise itself: it is never written again.
            if !file.exists() {
                fs::create_dir_all(file.parent().ok_or("the file lies in a folder")?)?;
                fs::write(&file, golden::to_hex(&message.encode()))?;
                println!("recorded {}", file.display());
            }
        }
    }
    Ok(())
}
