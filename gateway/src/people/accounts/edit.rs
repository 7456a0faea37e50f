//! Changes the file of accounts, for the commands of a person at the machine: written anew and put in place as a whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::super::password::{self, PASSWORD_BYTES_MAX};
use super::super::{NAME_CHARS_MAX, Role, name_of, same_name};
use super::{Account, Accounts, AccountsError, BreakGlass};

/// Shortest password, in characters.
const PASSWORD_CHARS_MIN: usize = 8;

/// Shortest PIN, in digits.
const PIN_DIGITS_MIN: usize = 6;

/// Longest PIN, in digits.
const PIN_DIGITS_MAX: usize = 32;

fn refused(what: impl Into<String>) -> AccountsError {
    AccountsError(what.into())
}

fn of_file(path: &Path) -> impl Fn(io::Error) -> AccountsError {
    move |error| refused(format!("{}: {error}", path.display()))
}

/// The accounts of a file; none while there is no file.
///
/// # Errors
/// It cannot be read, or is refused.
pub fn read(path: &Path) -> Result<Accounts, AccountsError> {
    match fs::read_to_string(path) {
        Ok(text) => {
            Accounts::parse(&text).map_err(|error| refused(format!("{}: {error}", path.display())))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Accounts::default()),
        Err(error) => Err(of_file(path)(error)),
    }
}

/// Adds an account, or gives one that is there another role and password.
///
/// # Errors
/// Name or password cannot be taken, or the file cannot be read or written.
pub fn add(path: &Path, name: &str, role: Role, secret: &str) -> Result<(), AccountsError> {
    let name = name_of(name)
        .ok_or_else(|| refused(format!("a name has 1 to {NAME_CHARS_MAX} printable characters")))?;
    if secret.chars().count() < PASSWORD_CHARS_MIN || secret.len() > PASSWORD_BYTES_MAX {
        let most = PASSWORD_BYTES_MAX;
        return Err(refused(format!(
            "use a password of {PASSWORD_CHARS_MIN} characters at least and {most} bytes at most"
        )));
    }
    let mut all = read(path)?;
    let password = password::hash(secret).map_err(refused)?;
    all.accounts.retain(|other| !same_name(&other.name, &name));
    all.accounts.push(Account { name, role, password });
    write(path, &all)
}

/// Removes an account. Whether it was there.
///
/// # Errors
/// The file cannot be read or written.
pub fn remove(path: &Path, name: &str) -> Result<bool, AccountsError> {
    let mut all = read(path)?;
    let before = all.accounts.len();
    all.accounts.retain(|other| !same_name(&other.name, name.trim()));
    if all.accounts.len() == before {
        return Ok(false);
    }
    write(path, &all)?;
    Ok(true)
}

/// Sets the break-glass PIN.
///
/// # Errors
/// It is no PIN, or the file cannot be read or written.
pub fn set_pin(path: &Path, pin: &str) -> Result<(), AccountsError> {
    let fine = (PIN_DIGITS_MIN..=PIN_DIGITS_MAX).contains(&pin.len());
    let same = pin.bytes().all(|digit| pin.bytes().next() == Some(digit));
    if !fine || same || !pin.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(refused(format!(
            "use {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits, not all the same"
        )));
    }
    let mut all = read(path)?;
    all.break_glass = Some(BreakGlass { pin: password::hash(pin).map_err(refused)? });
    write(path, &all)
}

/// Removes the PIN.
///
/// # Errors
/// The file cannot be read or written.
pub fn remove_pin(path: &Path) -> Result<(), AccountsError> {
    let mut all = read(path)?;
    all.break_glass = None;
    write(path, &all)
}

/// Writes beside the file and puts it in its place: a gateway that reads meanwhile has the old one or the new one.
fn write(path: &Path, accounts: &Accounts) -> Result<(), AccountsError> {
    let text = toml::to_string(accounts).map_err(|error| refused(error.to_string()))?;
    // What is written is what will be read.
    Accounts::parse(&text)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let written = || -> io::Result<()> {
        let owner = fs::metadata(path).ok();
        match fs::remove_file(beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(beside)?;
        if let Some(owner) = owner {
            use std::os::unix::fs::MetadataExt as _;
            // The gateway may run as another user than the person at the machine: whose file it was, it stays.
            std::os::unix::fs::fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(beside, path)?;
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
    };
    written().map_err(of_file(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn accounts_are_added_changed_and_removed_and_the_file_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("people.toml");
        add(&path, " A. Nurse ", Role::Clinician, "correct horse").unwrap();
        add(&path, "Tech", Role::Biomed, "battery staple").unwrap();
        add(&path, "a. nurse", Role::Viewer, "another horse").unwrap();
        let all = read(&path).unwrap();
        let listed: Vec<_> = all.listed().collect();
        assert_eq!(listed, [("Tech", Role::Biomed), ("a. nurse", Role::Viewer)]);
        assert!(password::verify("another horse", &all.find("A. Nurse").unwrap().password));
        set_pin(&path, "482915").unwrap();
        assert!(password::verify("482915", read(&path).unwrap().pin().unwrap()));
        assert!(remove(&path, "TECH").unwrap() && !remove(&path, "Tech").unwrap());
        remove_pin(&path).unwrap();
        assert!(!read(&path).unwrap().has_pin());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_cannot_be_taken_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("people.toml");
        for (name, secret) in
            [("", "correct horse"), ("Ann (break-glass)", "correct horse"), ("Ann", "short")]
        {
            assert!(add(&path, name, Role::Admin, secret).is_err(), "{name}");
        }
        for pin in ["12345", "000000", "12345x", "", &"12".repeat(17)] {
            assert!(set_pin(&path, pin).is_err(), "{pin}");
        }
        assert!(!path.exists());
        fs::write(&path, "nonsense").unwrap();
        assert!(add(&path, "Ann", Role::Admin, "correct horse").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "nonsense");
    }
}
