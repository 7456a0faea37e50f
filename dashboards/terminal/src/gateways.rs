//! The gateways that were named: one, or two that watch the same wards.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::client::{ClientError, Gateway, Secured, Tokens};

/// Most gateways: two of everything.
const GATEWAYS_MAX: usize = 2;

/// How long the other gateway may be slower and is still asked, where the first one does not answer.
const HEAD_START: Duration = Duration::from_millis(250);

/// Gateways by their addresses.
#[derive(Debug, Clone)]
pub(crate) struct Gateways(Vec<Gateway>);

impl Gateways {
    /// One address, or two with a comma between them.
    pub(crate) fn new(
        urls: &str,
        secured: Option<&Secured>,
        tokens: &Tokens,
    ) -> Result<Self, ClientError> {
        let each: Vec<&str> = urls.split(',').map(str::trim).collect();
        if each.len() > GATEWAYS_MAX {
            return Err(ClientError::TooMany { most: GATEWAYS_MAX });
        }
        let same = each.first() == each.get(1);
        let each = each.iter().take(if same { 1 } else { GATEWAYS_MAX });
        Ok(Self(each.map(|url| Gateway::new(url, secured, tokens)).collect::<Result<_, _>>()?))
    }

    /// Each of them.
    pub(crate) fn all(&self) -> &[Gateway] {
        &self.0
    }

    /// Their addresses.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.0.iter().map(|gateway| gateway.url().to_owned()).collect()
    }

    /// The first that answers. Of several it must answer a question, because one that is frozen still takes connections.
    pub(crate) async fn connect(&self) -> Result<Gateway, ClientError> {
        if let [only] = self.0.as_slice() {
            return only.clone().connect().await;
        }
        let mut asked: FuturesUnordered<_> = self.0.iter().enumerate().map(answers).collect();
        let mut why = None;
        while let Some(answer) = asked.next().await {
            match answer {
                Ok(gateway) => return Ok(gateway),
                Err(error) => why = Some(error),
            }
        }
        Err(why.unwrap_or(ClientError::Ended { what: "connect" }))
    }
}

/// A gateway that has answered; the one that was named first is asked first.
async fn answers((index, gateway): (usize, &Gateway)) -> Result<Gateway, ClientError> {
    if index > 0 {
        tokio::time::sleep(HEAD_START).await;
    }
    let gateway = gateway.clone().connect().await?;
    match gateway.latency().await {
        // A refusal is an answer, too.
        Ok(_) | Err(ClientError::Unsupported { .. } | ClientError::Refused { .. }) => Ok(gateway),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_or_two_addresses_are_taken_and_the_same_one_twice_is_one() {
        let urls = |text: &str| {
            Gateways::new(text, None, &Tokens::default()).map(|gateways| gateways.urls().len())
        };
        assert_eq!(urls("http://a:1").unwrap(), 1);
        assert_eq!(urls("http://a:1, http://b:1").unwrap(), 2);
        assert_eq!(urls("http://a:1,http://a:1").unwrap(), 1);
        for bad in ["http://a:1,", "http://a:1,http://b:1,http://c:1", "a,b", ""] {
            assert!(urls(bad).is_err(), "{bad}");
        }
        let why = urls("https://a:1").unwrap_err().to_string();
        assert!(why.contains("--ca FILE"), "{why}");
    }
}
