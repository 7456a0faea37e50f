//! Rewrites the table of the starter profile in gateway/docs/alarms.md.

use std::fs;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/alarms.md");
    let document = fs::read_to_string(path)?;
    let new = ecmo_profile::in_document(&document, &ecmo_profile::starter()).ok_or(
        "the document has no place for the table: <!-- profile table --> and <!-- end -->",
    )?;
    if new != document {
        fs::write(path, new)?;
    }
    Ok(())
}
