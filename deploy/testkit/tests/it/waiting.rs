//! Waiting: what is found in time, and what the failure says.

use std::{cell::Cell, future::pending, time::Duration};

use ecmo_testkit::{eventually, eventually_sync, free_port};

use super::SOON;

const LATE: Duration = Duration::from_millis(20);

#[tokio::test]
async fn a_find_after_some_looks_is_returned() {
    let looks = Cell::new(0);
    let found = eventually(SOON, "the third look", async || {
        looks.set(looks.get() + 1);
        (looks.get() == 3).then_some("found")
    })
    .await
    .unwrap();
    assert_eq!((found, looks.get()), ("found", 3));
    let mut looks = 0;
    let found = eventually_sync(SOON, "the third look", || {
        looks += 1;
        if looks == 3 { Ok("found") } else { Err(looks) }
    });
    assert_eq!(found.unwrap(), "found");
}

#[tokio::test]
async fn a_deadline_names_what_was_awaited_and_what_was_seen_last() {
    let error = eventually(LATE, "the moon", async || None::<()>).await.unwrap_err().to_string();
    assert_eq!(error, "not within 20ms: the moon");
    let error = eventually(LATE, "the moon", async || Err::<(), _>("a cloud")).await.unwrap_err();
    assert_eq!(error.to_string(), "not within 20ms: the moon; last seen: a cloud");
    let error = eventually_sync(LATE, "the moon", || Err::<(), _>("a cloud")).unwrap_err();
    assert_eq!(error.to_string(), "not within 20ms: the moon; last seen: a cloud");
}

#[tokio::test]
async fn a_look_that_hangs_is_ended_by_the_deadline() {
    let error = eventually(LATE, "the moon", async || pending::<Option<()>>().await).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "not within 20ms: the moon; the last look did not return"
    );
}

#[test]
fn a_free_port_can_be_bound() {
    std::net::TcpListener::bind(("127.0.0.1", free_port().unwrap())).unwrap();
}
