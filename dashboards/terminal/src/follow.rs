//! Keeps one subscription alive: notices silence, gaps and cut-offs, tells them, and subscribes again with back-off.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc::Sender;

use crate::client::{ClientError, Numbered, Open, Subscription};

/// Longest silence of a stream before the gateway counts as lost. It sends a heartbeat each second; with one of them
/// late this still leaves half a second to tell it within 3 s.
pub(crate) const SILENCE_MAX: Duration = Duration::from_millis(2_500);

/// Longest wait for the first message after a subscription was accepted.
const FIRST_MAX: Duration = Duration::from_secs(2);

/// Least wait before an attempt after the first, which is made at once.
const WAIT_MIN: Duration = Duration::from_millis(100);

/// Longest wait before an attempt.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// A subscription that brought so many messages has been of use: after its loss the first attempt is made at once.
const OF_USE: u64 = 3;

/// Messages that wait between a subscription and its reader. When full, the subscription is not read on: the gateway
/// then cuts it off and says so, which is told, and the next snapshot holds every alarm. Nothing is lost silently.
pub(crate) const WAITING_MESSAGES_MAX: usize = 256;

/// What following a subscription tells its reader.
#[derive(Debug)]
pub(crate) enum Followed<T> {
    /// The next message; the first one after a loss is a snapshot.
    Message(T),
    /// The subscription is gone; a new one is being tried.
    Lost(ClientError),
}

/// The reader of the messages has gone: no reason to follow on.
struct ReaderGone;

/// Follows until the reader has gone.
pub(crate) async fn follow<T, E>(
    what: &'static str,
    open: Open<T>,
    wrap: impl Fn(Followed<T>) -> E,
    reader: Sender<E>,
) where
    T: Numbered,
{
    let mut attempt = 0;
    loop {
        let mut received = 0;
        let lost = match open().await {
            Ok(stream) => {
                let passed = pass_on(what, stream, &wrap, &reader, &mut received).await;
                match passed {
                    Ok(lost) => lost,
                    Err(ReaderGone) => return,
                }
            }
            Err(error) => error,
        };
        if reader.send(wrap(Followed::Lost(lost))).await.is_err() {
            return;
        }
        if received >= OF_USE {
            attempt = 0;
        }
        tokio::time::sleep(back_off(attempt, fastrand::f64())).await;
        attempt = attempt.saturating_add(1);
    }
}

/// Passes messages on until the subscription is lost, and tells why it was.
async fn pass_on<T: Numbered, E>(
    what: &'static str,
    mut stream: Subscription<T>,
    wrap: &impl Fn(Followed<T>) -> E,
    reader: &Sender<E>,
    received: &mut u64,
) -> Result<ClientError, ReaderGone> {
    loop {
        let patience = if *received == 0 { FIRST_MAX } else { SILENCE_MAX };
        let message = match tokio::time::timeout(patience, stream.next()).await {
            Ok(Some(Ok(message))) => message,
            Ok(Some(Err(error))) => return Ok(error),
            Ok(None) => return Ok(ClientError::Ended { what }),
            Err(_elapsed) => return Ok(ClientError::Silent { what, silence: patience }),
        };
        if message.sequence() != *received {
            let (expected, got) = (*received, message.sequence());
            return Ok(ClientError::Gap { what, expected, got });
        }
        *received += 1;
        if reader.send(wrap(Followed::Message(message))).await.is_err() {
            return Err(ReaderGone);
        }
    }
}

/// The wait before an attempt: none before the first, then anything up to a bound that doubles, so that the displays of a
/// ward do not come back all at once. `random` is 0 to 1.
fn back_off(attempt: u32, random: f64) -> Duration {
    if attempt == 0 {
        return Duration::ZERO;
    }
    let most = WAIT_MIN.saturating_mul(2_u32.saturating_pow(attempt)).min(WAIT_MAX);
    WAIT_MIN + (most - WAIT_MIN).mul_f64(random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Number(u64);

    impl Numbered for Number {
        fn sequence(&self) -> u64 {
            self.0
        }
    }

    /// Follows subscriptions that bring these numbers and then end, and collects what is told.
    async fn told(subscriptions: &'static [&'static [u64]], count: usize) -> Vec<String> {
        let opened = AtomicUsize::new(0);
        let open: Open<Number> = Box::new(move || {
            let index = opened.fetch_add(1, Ordering::Relaxed);
            let numbers = subscriptions.get(index).copied().unwrap_or_default();
            let messages = numbers.iter().map(|number| Ok(Number(*number)));
            let stream = stream::iter(messages).chain(stream::pending()).boxed();
            Box::pin(async move { Ok(stream) })
        });
        let (out, mut events) = tokio::sync::mpsc::channel(4);
        let following = follow("test", open, |event| event, out);
        let reading = async {
            let mut told = Vec::new();
            while told.len() < count {
                told.push(match events.recv().await.unwrap() {
                    Followed::Message(number) => number.0.to_string(),
                    Followed::Lost(error) => error.to_string(),
                });
            }
            drop(events);
            told
        };
        tokio::select! { told = reading => told, () = following => panic!("gave up") }
    }

    #[tokio::test]
    async fn a_missing_message_and_silence_each_lead_to_a_new_subscription() {
        let told = told(&[&[0, 1, 3], &[0]], 5).await;
        assert_eq!(told[..2], ["0", "1"]);
        assert_eq!(told[2], "test: message 2 never came, 3 did");
        assert_eq!(told[3], "0");
        assert_eq!(told[4], "test: nothing from the gateway for 2.5 s");
    }

    #[test]
    fn the_first_attempt_is_made_at_once_and_later_ones_are_spread_up_to_a_bound() {
        let ms = |attempt, random| back_off(attempt, random).as_millis();
        assert_eq!((ms(0, 0.0), ms(0, 1.0)), (0, 0));
        assert_eq!((ms(1, 0.0), ms(1, 1.0), ms(3, 1.0)), (100, 200, 800));
        assert_eq!((ms(10_000, 0.0), ms(10_000, 1.0)), (100, 5_000));
        const { assert!(SILENCE_MAX.as_millis() < 3_000) };
    }
}
