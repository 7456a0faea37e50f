//! The folder of one IIO device: found by number or name, its files read, and the few that may be written.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

/// Where the kernel lists devices, below the root.
const DEVICES: &str = "sys/bus/iio/devices";

/// Longest content of an attribute that is read, in bytes.
const ATTRIBUTE_BYTES_MAX: usize = 256;

/// Most devices that are looked at for a name.
const DEVICES_MAX: usize = 256;

/// The folder of a device.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    node: PathBuf,
}

/// The attributes that may be written. There is no way to write another one: a file is named by this type alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writable<'a> {
    /// Whether an input is part of a scan: `scan_elements/NAME_en`.
    ScanElement(&'a str),
    /// Samples of the buffer: `buffer/length`.
    BufferLength,
    /// Whether the buffer runs: `buffer/enable`.
    BufferEnable,
    /// What makes the kernel sample: `trigger/current_trigger`.
    Trigger,
}

impl Writable<'_> {
    /// The file, from the folder of the device.
    #[must_use]
    pub fn file(&self) -> String {
        match self {
            Self::ScanElement(name) => format!("scan_elements/{name}_en"),
            Self::BufferLength => "buffer/length".to_owned(),
            Self::BufferEnable => "buffer/enable".to_owned(),
            Self::Trigger => "trigger/current_trigger".to_owned(),
        }
    }
}

impl Folder {
    /// Finds a device by its number (`iio:device0`) or by the name that its driver gives it.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn find(root: &Path, device: &str) -> Result<Self, Errno> {
        let devices = root.join(DEVICES);
        let by_number = Self::at(root, &devices, device);
        if by_number.path.is_dir() {
            return Ok(by_number);
        }
        let entries = std::fs::read_dir(&devices).map_err(|_missing| Errno::NODEV)?;
        let mut ids: Vec<_> = entries
            .take(DEVICES_MAX)
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|id| id.starts_with("iio:device"))
            .collect();
        // Two of one name: the same one each time.
        ids.sort();
        let folders = ids.iter().map(|id| Self::at(root, &devices, id));
        let mut named =
            folders.filter(|folder| folder.read("name").is_ok_and(|name| name == device));
        named.next().ok_or(Errno::NODEV)
    }

    fn at(root: &Path, devices: &Path, id: &str) -> Self {
        Self { path: devices.join(id), node: root.join("dev").join(id) }
    }

    /// The character device with the buffer.
    #[must_use]
    pub fn node(&self) -> &Path {
        &self.node
    }

    /// Whether the device is still listed.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.path.is_dir()
    }

    /// Opens an attribute for reading again and again.
    ///
    /// # Errors
    /// It is missing or may not be read.
    pub fn open(&self, attribute: &str) -> Result<OwnedFd, Errno> {
        open(self.path.join(attribute), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
    }

    /// Reads an attribute once.
    ///
    /// # Errors
    /// It is missing, may not be read, or is no text.
    pub fn read(&self, attribute: &str) -> Result<String, Errno> {
        let mut buffer = [0; ATTRIBUTE_BYTES_MAX];
        let count = rustix::io::read(self.open(attribute)?, &mut buffer)?;
        let text = core::str::from_utf8(buffer.get(..count).unwrap_or_default());
        text.map(|text| text.trim().to_owned()).map_err(|_no_text| Errno::ILSEQ)
    }

    /// The inputs that can be part of a scan.
    ///
    /// # Errors
    /// The device has no buffer.
    pub fn scan_elements(&self) -> Result<Vec<String>, Errno> {
        let entries = std::fs::read_dir(self.path.join("scan_elements"));
        let entries = entries.map_err(|_missing| Errno::NOENT)?;
        let names = entries.take(4 * DEVICES_MAX).filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            name.strip_suffix("_en").map(ToOwned::to_owned)
        });
        let mut names: Vec<_> = names.collect();
        names.sort();
        Ok(names)
    }

    /// A number of one input, or else the one that all inputs of its kind share, or else the default.
    ///
    /// # Errors
    /// The attribute is there and is no number.
    pub fn number_of(&self, input: &str, what: &str, default: f64) -> Result<f64, Errno> {
        let kind = input.trim_end_matches(|letter: char| letter.is_ascii_digit());
        for name in [input, kind] {
            match self.read(&format!("{name}_{what}")) {
                Ok(text) => {
                    let number: Option<f64> = text.parse().ok();
                    return number.filter(|number| number.is_finite()).ok_or(Errno::INVAL);
                }
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(default)
    }

    /// Writes one of the attributes that may be written.
    ///
    /// # Errors
    /// It is missing, may not be written, or the kernel refuses the value.
    pub fn write(&self, attribute: Writable<'_>, value: &str) -> Result<(), Errno> {
        // Without O_CREAT: a file that is not the kernel's is not made.
        let file = open(
            self.path.join(attribute.file()),
            OFlags::WRONLY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let count = rustix::io::write(&file, value.as_bytes())?;
        if count == value.len() { Ok(()) } else { Err(Errno::IO) }
    }
}
