//! A converter as a folder of files and a FIFO, as the kernel would show it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::SampleTime;

use super::buffer::Buffered;
use super::sysfs::Sysfs;
use super::*;
use crate::config::{Settings, SourceSettings};
use crate::sensor::{Batch, Sensor};

struct Tree {
    folder: tempfile::TempDir,
}

impl Tree {
    fn new() -> Self {
        let tree = Self { folder: tempfile::tempdir().unwrap() };
        tree.plug();
        tree
    }

    fn device(&self) -> PathBuf {
        self.folder.path().join("sys/bus/iio/devices/iio:device0")
    }

    fn node(&self) -> PathBuf {
        self.folder.path().join("dev/iio:device0")
    }

    fn set(&self, attribute: &str, value: &str) {
        let path = self.device().join(attribute);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, value).unwrap();
    }

    fn plug(&self) {
        for (attribute, value) in [
            ("name", "ads1256\n"),
            ("in_voltage0_raw", "1000\n"),
            ("in_voltage1_raw", "-2000\n"),
            ("in_voltage0_offset", "50\n"),
            ("in_voltage_scale", "0.1\n"),
            ("sampling_frequency", "100\n"),
            ("buffer/length", "2\n"),
            ("buffer/enable", "0\n"),
            ("trigger/current_trigger", "\n"),
            ("scan_elements/in_voltage0_en", "0\n"),
            ("scan_elements/in_voltage0_index", "0\n"),
            ("scan_elements/in_voltage0_type", "le:s24/32>>8\n"),
            ("scan_elements/in_voltage1_en", "0\n"),
            ("scan_elements/in_voltage1_index", "1\n"),
            ("scan_elements/in_voltage1_type", "be:s16/16\n"),
            ("scan_elements/in_voltage2_en", "1\n"),
            ("scan_elements/in_voltage2_index", "2\n"),
            ("scan_elements/in_voltage2_type", "le:s16/16\n"),
            ("scan_elements/in_timestamp_en", "0\n"),
            ("scan_elements/in_timestamp_index", "3\n"),
            ("scan_elements/in_timestamp_type", "le:s64/64\n"),
        ] {
            self.set(attribute, value);
        }
        fs::create_dir_all(self.folder.path().join("dev")).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, self.node(), fifo, mode, 0).unwrap();
    }

    fn unplug(&self) {
        fs::remove_dir_all(self.device()).unwrap();
        fs::remove_file(self.node()).unwrap();
    }

    fn settings(&self, mode: &str, device: &str) -> IioSettings {
        let root = self.folder.path().display();
        let text = format!(
            "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://127.0.0.1:1\"\n[[source]]\nkind = \"iio\"\nroot = \"{root}\"\n\
             device = \"{device}\"\n{mode}\nrate_hz = 100\n\
             [[source.channel]]\nparameter = \"press.drain\"\ninput = \"in_voltage0\"\nscale = 2\nzero = 10\n\
             [[source.channel]]\nparameter = \"press.pre\"\ninput = \"in_voltage1\"\nrange = [-300, 500]\n"
        );
        let SourceSettings::Iio(settings) = Settings::parse(&text, "t").unwrap().sources.remove(0)
        else {
            panic!("another kind")
        };
        settings
    }

    /// Every file with its content.
    fn contents(&self) -> BTreeMap<String, String> {
        fn add(folder: &Path, root: &Path, files: &mut BTreeMap<String, String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    add(&path, root, files);
                } else {
                    let name = path.strip_prefix(root).unwrap().display().to_string();
                    files.insert(name, fs::read_to_string(&path).unwrap());
                }
            }
        }
        let mut files = BTreeMap::new();
        add(&self.device(), &self.device(), &mut files);
        files
    }
}

fn run(sensor: &mut dyn Sensor, from: u64, to: u64) -> Vec<(usize, u64, Reading)> {
    let mut out = Batch::default();
    for millis in from..to {
        sensor.poll(SampleTime::from_millis(millis), &mut out);
    }
    let entry = |sample: crate::sensor::Sample| {
        (sample.channel, sample.time.as_nanos() / 1000, sample.reading)
    };
    out.samples.into_iter().map(entry).collect()
}

#[test]
fn files_are_read_at_the_rate_with_the_kernels_scale_and_the_sites() {
    let tree = Tree::new();
    let mut sensor = Sysfs::new(&tree.settings("mode = \"sysfs\"", "ads1256"));
    let samples = run(&mut sensor, 1000, 1025);
    // (1000 + 50) * 0.1 = 105 mV; times 2, less the zero of 10.
    let expected = Reading::Value(200.0);
    let drain: Vec<_> = samples.iter().filter(|sample| sample.0 == 0).collect();
    assert_eq!(
        drain,
        [&(0, 1_000_000, expected), &(0, 1_010_000, expected), &(0, 1_020_000, expected)]
    );
    assert_eq!(samples[1].2, Reading::Value(-200.0));
    tree.set("in_voltage1_raw", "9000\n");
    tree.set("in_voltage0_raw", "broken\n");
    let samples = run(&mut sensor, 1025, 1035);
    assert_eq!(samples[0].2, Reading::NoData(NoData::SensorFault));
    assert_eq!(samples[1].2, Reading::NoData(NoData::AboveRange));
}

#[test]
fn a_converter_that_goes_is_off_within_a_second_and_comes_back() {
    let tree = Tree::new();
    for mode in ["mode = \"sysfs\"", "mode = \"buffer\""] {
        let settings = tree.settings(mode, "iio:device0");
        let mut sensor: Box<dyn Sensor> = if mode.contains("sysfs") {
            Box::new(Sysfs::new(&settings))
        } else {
            Box::new(Buffered::new(&settings))
        };
        let off = Reading::NoData(NoData::SensorOff);
        let first = run(&mut *sensor, 1000, 1500);
        assert!(first.iter().all(|sample| sample.2 != off), "{mode}");
        tree.unplug();
        let gone = run(&mut *sensor, 1500, 2500);
        let at = gone.iter().find(|sample| sample.2 == off).unwrap().1;
        assert!(at <= 2_500_000, "{at}");
        let count = gone.iter().filter(|sample| sample.0 == 0 && sample.2 == off).count();
        assert!(count > 30, "{mode}: told at the rate: {count}");
        tree.plug();
        let back = run(&mut *sensor, 2500, 5000);
        assert_ne!(back.last().unwrap().2, off, "{mode}");
        let times: Vec<_> =
            back.iter().filter(|sample| sample.0 == 0).map(|sample| sample.1).collect();
        assert!(times.windows(2).all(|pair| pair[1] > pair[0]));
    }
}

fn scan(voltage0: i32, voltage1: i16, stamp: i64) -> Vec<u8> {
    let mut scan = (voltage0 << 8).to_le_bytes().to_vec();
    scan.extend(voltage1.to_be_bytes());
    scan.extend([0xee; 2]);
    scan.extend(stamp.to_le_bytes());
    scan
}

#[test]
fn a_buffer_is_set_up_through_the_allowed_files_alone_and_read_scan_by_scan() {
    let tree = Tree::new();
    let before = tree.contents();
    let mode = "mode = \"buffer\"\nlength = 64\ntrigger = \"hr-timer0\"";
    let mut sensor = Buffered::new(&tree.settings(mode, "iio:device0"));
    run(&mut sensor, 1000, 1001);
    let after = tree.contents();
    let changed: BTreeMap<_, _> =
        after.iter().filter(|(name, text)| before.get(*name) != Some(text)).collect();
    let changed: Vec<_> =
        changed.into_iter().map(|(name, text)| (name.as_str(), text.trim())).collect();
    assert_eq!(
        changed,
        [
            ("buffer/enable", "1"),
            ("buffer/length", "64"),
            ("scan_elements/in_timestamp_en", "1"),
            ("scan_elements/in_voltage0_en", "1"),
            ("scan_elements/in_voltage1_en", "1"),
            ("scan_elements/in_voltage2_en", "0"),
            ("trigger/current_trigger", "hr-timer0"),
        ]
    );

    let mut kernel = fs::File::options().write(true).open(tree.node()).unwrap();
    let start = 1_764_000_000_000_000_000;
    let scans: Vec<u8> = (0..3)
        .flat_map(|step| scan(1000 + 10 * step, -2000, start + i64::from(step) * 10_000_000))
        .collect();
    // The last scan is torn: its rest comes later.
    kernel.write_all(&scans[..40]).unwrap();
    let samples = run(&mut sensor, 1010, 1011);
    let value = Reading::Value;
    let drain = |samples: &[(usize, u64, Reading)]| {
        let drain = samples.iter().filter(|sample| sample.0 == 0);
        drain.map(|sample| sample.2).collect::<Vec<_>>()
    };
    assert_eq!(drain(&samples), [value(200.0), value(202.0)]);
    assert_eq!(samples[1].2, value(-200.0));
    kernel.write_all(&scans[40..]).unwrap();
    let samples = run(&mut sensor, 1030, 1031);
    assert_eq!(drain(&samples), [value(204.0)]);
    assert!(samples[0].1 <= 1_030_000 && samples[0].1 > 1_015_000, "dated by the kernel");

    // Much more than one read takes: all of it arrives, in order.
    let flood: Vec<u8> = (0..3000)
        .flat_map(|step| scan(step, 0, start + 100_000_000 + i64::from(step) * 10_000))
        .collect();
    kernel.write_all(&flood).unwrap();
    let samples = run(&mut sensor, 1150, 1160);
    assert_eq!(drain(&samples).len(), 3000);
    let silent = run(&mut sensor, 1160, 1400);
    assert_eq!(silent.last().unwrap().2, Reading::NoData(NoData::CommLost));
    drop(sensor);
    assert!(tree.contents()["buffer/enable"].starts_with('0'));
}

#[test]
fn only_four_kinds_of_files_can_be_named_for_writing() {
    use folder::Writable;
    for (writable, file) in [
        (Writable::ScanElement("in_voltage0"), "scan_elements/in_voltage0_en"),
        (Writable::BufferLength, "buffer/length"),
        (Writable::BufferEnable, "buffer/enable"),
        (Writable::Trigger, "trigger/current_trigger"),
    ] {
        assert_eq!(writable.file(), file);
    }
    let tree = Tree::new();
    let error = Settings::parse(
        "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://127.0.0.1:1\"\n[[source]]\nkind = \"iio\"\ndevice = \"../x\"\n\
         mode = \"sysfs\"\nrate_hz = 1\nchannel = []",
        "t",
    );
    assert!(error.unwrap_err().to_string().contains("[[source.channel]]"));
    let folder = folder::Folder::find(tree.folder.path(), "iio:device0").unwrap();
    let made_up = folder.write(Writable::ScanElement("../../x"), "1");
    assert!(made_up.is_err(), "no file is made");
}

#[test]
fn a_thousand_polls_of_eight_inputs_allocate_nothing() {
    let tree = Tree::new();
    let mut text = format!(
        "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://127.0.0.1:1\"\n[[source]]\nkind = \"iio\"\nroot = \"{}\"\n\
         device = \"iio:device0\"\nmode = \"sysfs\"\nrate_hz = 1000\n",
        tree.folder.path().display()
    );
    let parameters = [
        "press.drain",
        "press.pre",
        "press.post",
        "press.aux",
        "press.delta",
        "pt.abp",
        "pt.cvp",
        "gas.pressure",
    ];
    for (number, parameter) in parameters.iter().enumerate() {
        tree.set(&format!("in_voltage{number}_raw"), "12\n");
        text += &format!(
            "[[source.channel]]\nparameter = \"{parameter}\"\ninput = \"in_voltage{number}\"\n"
        );
    }
    let SourceSettings::Iio(settings) = Settings::parse(&text, "t").unwrap().sources.remove(0)
    else {
        panic!("iio")
    };
    let mut sensor = Sysfs::new(&settings);
    let mut out = Batch::default();
    for millis in 0..20 {
        sensor.poll(SampleTime::from_millis(1000 + millis), &mut out);
    }
    let mut samples = 0;
    let allocated = allocation_counter::measure(|| {
        // Up to the next look at whether the device is listed, which is a system call with a path.
        for millis in 20..400 {
            out.clear();
            sensor.poll(SampleTime::from_millis(1000 + millis), &mut out);
            samples += out.samples.len();
        }
    });
    assert_eq!((samples, allocated.count_total), (380 * 8, 0));
}
