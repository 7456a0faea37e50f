//! What the gateway says of itself at its metrics port.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

const PATIENCE: Duration = Duration::from_secs(2);

/// Frames that the spool has and the journal lacks.
pub(crate) const MISSING: &str = "ecmo_gateway_journal_frames_missing";

/// Frames that were kept.
pub(crate) const KEPT: &str = "ecmo_gateway_journal_frames_total";

/// The label of those that came from the spool.
pub(crate) const BACKFILLED: &str = "ecmo_gateway_journal_frames_total{source=\"spool\"}";

/// From publication to arrival.
pub(crate) const INGEST: &str = "ecmo_gateway_ingest_latency_seconds";

/// The page, as lines.
#[derive(Debug)]
pub(crate) struct Page(String);

impl Page {
    /// Asks for it.
    pub(crate) fn get(address: SocketAddr) -> Result<Self> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text).context("the page is cut short")?;
        Ok(Self(text))
    }

    /// The sum of every series whose line begins so.
    pub(crate) fn sum(&self, start: &str) -> f64 {
        let lines = self.0.lines().filter(|line| line.starts_with(start));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Upper bounds and counts of a histogram's buckets, over all its series.
    pub(crate) fn buckets(&self, name: &str) -> Vec<(String, f64)> {
        let start = format!("{name}_bucket{{");
        let mut buckets: Vec<(String, f64)> = Vec::new();
        for line in self.0.lines().filter(|line| line.starts_with(&start)) {
            let bound = line.split("le=\"").nth(1).and_then(|rest| rest.split('"').next());
            let count = line.rsplit(' ').next().and_then(|count| count.parse().ok());
            let (Some(bound), Some(count)) = (bound, count) else { continue };
            match buckets.iter_mut().find(|(known, _)| known == bound) {
                Some((_, sum)) => *sum += count,
                None => buckets.push((bound.to_owned(), count)),
            }
        }
        buckets
    }
}

/// The upper bound of the slowest one that was added to a histogram between two pages, in seconds as it is written.
pub(crate) fn slowest(before: &[(String, f64)], after: &[(String, f64)]) -> Option<String> {
    let added = |(bound, count): &(String, f64)| {
        let old = before.iter().find(|(known, _)| known == bound).map_or(0.0, |(_, count)| *count);
        (bound.clone(), count - old)
    };
    let added: Vec<_> = after.iter().map(added).collect();
    let all = added.last().map_or(0.0, |(_, count)| *count);
    added.into_iter().find(|(_, count)| *count >= all && all > 0.0).map(|(bound, _)| bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_buckets_are_read_and_the_slowest_new_one_is_found() {
        let page = |fast: u32, slow: u32| {
            Page(format!(
                "m{{a=\"1\"}} 2\nm{{a=\"2\"}} 3\nh_bucket{{le=\"0.1\"}} {fast}\nh_bucket{{le=\"1\"}} {}\nh_bucket{{le=\"+Inf\"}} {}\n",
                fast + slow,
                fast + slow
            ))
        };
        assert!((page(1, 1).sum("m{") - 5.0).abs() < 1e-9);
        let buckets = |fast, slow| page(fast, slow).buckets("h");
        assert_eq!(slowest(&buckets(1, 1), &buckets(5, 1)).as_deref(), Some("0.1"));
        assert_eq!(slowest(&buckets(1, 1), &buckets(5, 2)).as_deref(), Some("1"));
        assert_eq!(slowest(&buckets(1, 1), &buckets(1, 1)), None);
    }
}
