//! Queries of PromQL: what they select, how they are asked, whether the answer says something.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::http;

/// What metrics of this system and of scrapes begin with.
const NAMES: [&str; 4] = ["ecmo", "up", "scrape_", "process_"];

/// The selectors of a query, each with its labels, without its range.
pub(super) fn selectors(expr: &str) -> Vec<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':');
    let mut found: Vec<String> = Vec::new();
    let mut rest = expr;
    while let Some(begin) = rest.find(is_part) {
        // Behind a quote stands a value of a label, and no metric is named like one.
        let quoted = rest.get(..begin).is_some_and(|before| before.ends_with('"'));
        let word_on = rest.get(begin..).unwrap_or_default();
        let length = word_on.find(|letter| !is_part(letter)).unwrap_or(word_on.len());
        let (name, behind) = word_on.split_at(length);
        let is_metric = !quoted
            && NAMES
                .iter()
                .any(|start| name == *start || (name.starts_with(start) && *start != "up"));
        rest = behind;
        if is_metric {
            let labels = behind.starts_with('{').then(|| behind.find('}')).flatten();
            let (labels, behind) = behind.split_at(labels.map_or(0, |end| end + 1));
            found.push(format!("{name}{labels}"));
            rest = behind;
        }
    }
    found
}

/// A query of a dashboard as Grafana would ask it with everything chosen, `step` being the rate interval.
pub(super) fn filled(expr: &str, step: &str) -> String {
    expr.replace("$__rate_interval", step).replace("$job", ".+").replace("$instance", ".+")
}

/// Asks a Prometheus; an error unless the answer holds a number.
pub(super) fn ask(port: u16, expr: &str) -> Result<()> {
    let page = http::get(port, &format!("/api/v1/query?query={}", encoded(expr)))?;
    let answer: Value = serde_json::from_str(&page).context("no JSON")?;
    ensure!(numbers(&answer) > 0, "no number: {expr}");
    Ok(())
}

/// Series of an answer whose value is a number.
fn numbers(answer: &Value) -> usize {
    let series = answer.pointer("/data/result").and_then(Value::as_array);
    let series = series.map(Vec::as_slice).unwrap_or_default();
    let is_number = |one: &&Value| {
        let value = one
            .pointer("/value/1")
            .and_then(Value::as_str)
            .and_then(|text| text.parse::<f64>().ok());
        value.is_some_and(|value| !value.is_nan())
    };
    series.iter().filter(is_number).count()
}

fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_are_found_with_their_labels() {
        let found = |expr: &str| selectors(expr);
        assert_eq!(
            found(
                r#"sum by (up_to) (rate(ecmo_a_total{job="ecmo-gateway", x="1"}[5m])) / on (ward) ecmo:b:ratio > 0"#
            ),
            [r#"ecmo_a_total{job="ecmo-gateway", x="1"}"#, "ecmo:b:ratio"]
        );
        assert_eq!(found(r#"absent(up{job="a"} == 1)"#), [r#"up{job="a"}"#]);
        assert_eq!(found("vector(1)"), Vec::<String>::new());
        assert_eq!(found("count(update) + upper"), Vec::<String>::new());
    }

    #[test]
    fn only_numbers_are_an_answer() {
        let answer = |values: &[&str]| {
            let series: Vec<_> = values.iter().map(|it| json!({"value": [1, it]})).collect();
            json!({"data": {"result": series}})
        };
        assert_eq!(numbers(&answer(&["0", "NaN", "+Inf"])), 2);
        assert_eq!(numbers(&answer(&["NaN"])), 0);
        assert_eq!(numbers(&answer(&[])), 0);
        assert_eq!(numbers(&json!({"status": "error"})), 0);
    }

    #[test]
    fn a_query_fits_into_an_address() {
        assert_eq!(encoded(r#"a{b="c d"}[1m]"#), "a%7Bb%3D%22c%20d%22%7D%5B1m%5D");
    }
}
