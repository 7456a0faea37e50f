//! No text makes the reader panic, and what is refused says why.

use ecmo_profile::{STARTER, parse};
use proptest::prelude::*;

fn says_why(text: &str) -> Result<(), TestCaseError> {
    if let Err(error) = parse(text) {
        prop_assert!(!error.problems().is_empty());
        for problem in error.problems() {
            prop_assert!(problem.line >= 1 && problem.column >= 1);
            prop_assert!(!problem.what.is_empty() && !problem.todo.is_empty());
        }
    }
    Ok(())
}

/// Values that a key may be given by mistake.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<f32>().prop_map(|number| format!("{number:?}")),
        any::<i64>().prop_map(|number| number.to_string()),
        Just("nan".to_owned()),
        Just("-inf".to_owned()),
        Just("1e400".to_owned()),
        Just("0x10".to_owned()),
        Just("true".to_owned()),
        Just("\"?\"".to_owned()),
        Just("\"\"".to_owned()),
        Just("[]".to_owned()),
        Just("[[1], {}]".to_owned()),
        Just("{}".to_owned()),
        Just("{ case = \"flow_target\", parameter = \"flow.blood\", share = -1 }".to_owned()),
        Just("1979-05-27".to_owned()),
        "[a-z.*µ]{0,12}".prop_map(|text| format!("{text:?}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_at_all(text in any::<String>()) {
        says_why(&text)?;
    }

    #[test]
    fn any_value_at_any_key_of_the_starter(line in 0..STARTER.lines().count(), value in value()) {
        let changed = |(number, text): (usize, &str)| match text.split_once(" = ") {
            Some((key, _old)) if number == line && !text.starts_with(['#', ' ']) => {
                format!("{key} = {value}\n")
            }
            Some(_) | None => format!("{text}\n"),
        };
        let text: String = STARTER.lines().enumerate().map(changed).collect();
        says_why(&text)?;
    }

    #[test]
    fn the_starter_with_a_piece_cut_out(from in 0..STARTER.len(), length in 0..400_usize) {
        let until = (from + length).min(STARTER.len());
        if let (Some(before), Some(after)) = (STARTER.get(..from), STARTER.get(until..)) {
            says_why(&format!("{before}{after}"))?;
        }
    }
}

#[test]
fn deep_nesting_is_refused() {
    let text = format!("name = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(parse(&text).is_err());
}
