//! Starts a real Mosquitto with the project's settings and checks that it serves an agent.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::clock::{Start, wait};
use crate::process::{Background, Project, free_port};
use crate::tools;

const SETTINGS: &str = "deploy/mosquitto/mosquitto.conf";

/// Settings whose defaults cost latency, or hold old data: the reason for the file.
const MUST: [&str; 4] = [
    "set_tcp_nodelay true",
    "persistence false",
    "queue_qos0_messages false",
    "max_packet_size 262144",
];

/// The longest sealed frame of the contract, in bytes.
const FRAME_BYTES_MAX: usize = 64 * 1024;

const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn check(project: &Project) -> Result<()> {
    tools::ensure_installed(project, &[tools::MOSQUITTO])?;
    let text = fs::read_to_string(project.root.join(SETTINGS)).context(SETTINGS)?;
    for line in MUST {
        ensure!(text.lines().any(|each| each.trim() == line), "{SETTINGS} lacks `{line}`");
    }
    let mut broker = start(project)?;
    let stream = TcpStream::connect(broker.address).context("cannot connect");
    let served = stream.and_then(converse).and_then(|()| broker.program.still_runs());
    served.with_context(|| format!("Mosquitto wrote:\n{}", broker.program.log()))?;
    println!("Mosquitto with {SETTINGS} accepts an agent and its longest frame");
    Ok(())
}

/// A Mosquitto that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Mosquitto {
    program: Background,
    pub(crate) address: SocketAddr,
}

/// Starts Mosquitto with the project's settings on a port of its own.
pub(crate) fn start(project: &Project) -> Result<Mosquitto> {
    let text = fs::read_to_string(project.root.join(SETTINGS)).context(SETTINGS)?;
    let port = free_port()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let folder = project.scratch()?;
    let settings = folder.join("mosquitto.conf");
    fs::write(&settings, on_port(&text, port)?).context("cannot write the settings")?;
    let path = settings.to_string_lossy();
    let mut command = project.command("mosquitto", &["-c", &path]);
    let start = Start::now();
    let mut program = Background::start(&mut command, folder.join("mosquitto.log"))?;
    wait("Mosquitto listens", start, PATIENCE, || {
        TcpStream::connect(address)?;
        program.still_runs()
    })
    .with_context(|| format!("Mosquitto wrote:\n{}", program.log()))?;
    Ok(Mosquitto { program, address })
}

/// The settings with their one listener on another port.
fn on_port(text: &str, port: u16) -> Result<String> {
    let is_listener = |line: &&str| line.starts_with("listener ");
    let count = text.lines().filter(is_listener).count();
    ensure!(count == 1, "{SETTINGS} has {count} listeners, expected 1");
    let lines = text.lines().map(|line| {
        if is_listener(&line) {
            format!("listener {port} 127.0.0.1\n")
        } else {
            format!("{line}\n")
        }
    });
    Ok(lines.collect())
}

/// Connects as an agent and publishes the longest frame with acknowledgement.
fn converse(mut stream: TcpStream) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE)).context("no time limit")?;
    // CONNECT: protocol MQTT 3.1.1, clean session, keep-alive 10 s, client id "xtask".
    let connect = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x0a\x00\x05xtask";
    stream.write_all(connect).context("cannot connect")?;
    expect(&mut stream, [0x20, 2, 0, 0], "the connection is not accepted")?;
    // PUBLISH, QoS 1, packet 1.
    let topic = b"ecmo/v1/trial/xtask/backfill";
    let length = 2 + topic.len() + 2 + FRAME_BYTES_MAX;
    let mut publish = vec![0x32];
    publish.extend(remaining_length(length));
    publish.extend([0, u8::try_from(topic.len()).context("the topic is short")?]);
    publish.extend(topic);
    publish.extend([0, 1]);
    publish.resize(publish.len() + FRAME_BYTES_MAX, 0);
    stream.write_all(&publish).context("cannot publish")?;
    expect(&mut stream, [0x40, 2, 0, 1], "the longest frame is not acknowledged")
}

fn expect(stream: &mut TcpStream, expected: [u8; 4], otherwise: &str) -> Result<()> {
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).with_context(|| otherwise.to_owned())?;
    ensure!(answer == expected, "{otherwise}: {answer:02x?}");
    Ok(())
}

/// MQTT's own variable length: seven bits a byte, the least first.
fn remaining_length(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(length % 128).expect("below 128");
        length /= 128;
        if length == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_the_one_listener_changes() {
        assert_eq!(
            on_port("a 1\nlistener 1883 127.0.0.1\nb 2\n", 9).unwrap(),
            "a 1\nlistener 9 127.0.0.1\nb 2\n"
        );
        assert!(on_port("a 1\n", 9).is_err());
        assert!(on_port("listener 1\nlistener 2\n", 9).is_err());
    }

    #[test]
    fn lengths_are_encoded_as_the_standard_shows() {
        for (length, bytes) in
            [(0, vec![0]), (127, vec![127]), (128, vec![0x80, 1]), (16_384, vec![0x80, 0x80, 1])]
        {
            assert_eq!(remaining_length(length), bytes);
        }
    }
}
