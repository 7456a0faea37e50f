//! A peer that speaks as much MQTT as a test dictates, for what no sane broker does.
#![cfg(test)]

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Says yes to the connection.
const CONNACK: [u8; 4] = [0x20, 2, 0, 0];

/// A listener whose connections a test plays by hand.
pub(crate) struct Peer {
    listener: TcpListener,
}

impl Peer {
    pub(crate) async fn listen() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// The next connection, after its CONNECT was read and answered.
    pub(crate) async fn connected(&self) -> Connection {
        let mut connection = self.accepted().await;
        assert_eq!(connection.packet().await.first(), Some(&0x10), "CONNECT");
        connection.send(&CONNACK).await;
        connection
    }

    /// The next connection, of which nothing was read.
    pub(crate) async fn accepted(&self) -> Connection {
        Connection { stream: self.listener.accept().await.unwrap().0 }
    }
}

/// One connection of a client.
pub(crate) struct Connection {
    stream: TcpStream,
}

impl Connection {
    /// Reads a SUBSCRIBE and answers with these codes.
    pub(crate) async fn answer_subscribe(&mut self, codes: &[u8]) {
        let subscribe = self.packet().await;
        assert_eq!(subscribe[0], 0x82, "SUBSCRIBE");
        let id = [subscribe[1], subscribe[2]];
        let length = u8::try_from(2 + codes.len()).unwrap();
        self.send(&[&[0x90, length], &id[..], codes].concat()).await;
    }

    /// Sends a PUBLISH of quality of service 0.
    pub(crate) async fn publish(&mut self, topic: &str, payload: &[u8]) {
        let mut packet = vec![0x30];
        let mut rest = 2 + topic.len() + payload.len();
        while rest >= 0x80 {
            packet.push(u8::try_from(rest % 0x80).unwrap() | 0x80);
            rest /= 0x80;
        }
        packet.push(u8::try_from(rest).unwrap());
        packet.extend(u16::try_from(topic.len()).unwrap().to_be_bytes());
        packet.extend(topic.as_bytes());
        packet.extend(payload);
        // The client may hang up before the end of a packet that it does not want.
        self.stream.write_all(&packet).await.ok();
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Whether the client closes; reads what it says until then.
    pub(crate) async fn closes(mut self) -> bool {
        let mut sink = [0; 1024];
        loop {
            match self.stream.read(&mut sink).await {
                Ok(0) | Err(_) => return true,
                Ok(_) => {}
            }
        }
    }

    /// A short packet without its length.
    pub(crate) async fn packet(&mut self) -> Vec<u8> {
        let kind = self.stream.read_u8().await.unwrap();
        let mut length = 0;
        for shift in [0, 7, 14] {
            let byte = self.stream.read_u8().await.unwrap();
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut packet = vec![kind];
        packet.resize(1 + length, 0);
        self.stream.read_exact(&mut packet[1..]).await.unwrap();
        packet
    }
}
