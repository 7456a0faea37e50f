//! The page that the program carries, put there by the build script.

use bytes::Bytes;

use super::files::{Files, NoPage};

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The page.
///
/// # Errors
/// What was there at compile time was no whole page.
pub(super) fn files() -> Result<Files, NoPage> {
    let files = FILES.iter().map(|(path, bytes)| ((*path).to_owned(), Bytes::from_static(bytes)));
    Files::new(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_carries_a_whole_page_with_its_name() {
        let files = files().unwrap();
        assert!(files.count() > 2 && files.build().is_some());
    }
}
