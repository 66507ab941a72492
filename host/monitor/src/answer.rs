use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::error::transport_reason;

/// The largest answer that is read. Real ones have less than a kilobyte; a build's answer cannot fill the memory.
const LARGEST: usize = 1 << 20;

/// Longest part of a reason that a message shows, in characters.
const SHOWN: usize = 300;

/// The body of an answer, bounded.
pub(crate) async fn body_of(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| transport_reason(&error))? {
        body.extend_from_slice(&part);
        if body.len() > LARGEST {
            return Err(format!("it is longer than {LARGEST} bytes"));
        }
    }
    Ok(body)
}

/// What an error's body says. The server has four shapes: `message`, `detail`, an HTML page, and nothing.
pub(crate) fn reason_of_status(status: StatusCode, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let json = serde_json::from_str::<Value>(&text).ok();
    let field = |name: &str| json.as_ref()?.get(name)?.as_str().map(str::to_owned);
    field("message")
        .or_else(|| field("detail"))
        .or_else(|| title(&text))
        .or_else(|| first_line(&text))
        .map(|reason| shown(&reason))
        .filter(|reason| !reason.is_empty())
        .unwrap_or_else(|| meaning(status).to_owned())
}

/// The text comes from elsewhere: it must neither steer a terminal nor fill it.
fn shown(reason: &str) -> String {
    reason.trim().chars().filter(|character| !character.is_control()).take(SHOWN).collect()
}

/// The heading of an HTML page, where the real server puts what went wrong.
fn title(text: &str) -> Option<String> {
    ["title", "h1"].iter().find_map(|tag| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        let (inner, _) = rest.split_once(&format!("</{tag}>"))?;
        let inner = inner.split_whitespace().collect::<Vec<_>>().join(" ");
        (!inner.is_empty()).then_some(inner)
    })
}

fn first_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    if line.starts_with('<') {
        return Some("an HTML page".to_owned());
    }
    Some(line.to_owned())
}

/// What an empty answer means.
fn meaning(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "the server wants a bearer token",
        StatusCode::FORBIDDEN => "the credentials are not accepted",
        status if status.is_server_error() => "the server failed and does not say why",
        _ => "the server does not say why",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shape_of_an_error_becomes_a_reason() {
        let reason =
            |status, body: &str| reason_of_status(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        assert_eq!(
            reason(400, r#"{"message":"Missing required build_id.","code":400}"#),
            "Missing required build_id."
        );
        assert_eq!(reason(404, r#"{"detail":"Not found."}"#), "Not found.");
        let page = "<!doctype html>\n<html><head>\n<title>\n Server Error (500)</title></head></html>";
        assert_eq!(reason(500, page), "Server Error (500)");
        assert_eq!(reason(500, "<html><p>hm</p></html>"), "an HTML page");
        assert_eq!(reason(502, "\nupstream \u{1b}[31mgone\n"), "upstream [31mgone");
        assert_eq!(reason(400, r#"{"message":"\u001b]0;x\u0007bad"}"#), "]0;xbad");
        assert_eq!(reason(400, &"x".repeat(1000)).len(), SHOWN);
        assert_eq!(reason(400, r#"{"message":" "}"#), "the server does not say why");
        assert_eq!(reason(403, ""), "the credentials are not accepted");
        assert_eq!(reason(500, ""), "the server failed and does not say why");
        assert_eq!(reason(400, r#"{"message":{"a":1}}"#), r#"{"message":{"a":1}}"#);
    }
}
