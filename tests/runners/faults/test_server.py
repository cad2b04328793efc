"""Connections: many at once, kept alive, cut by either side; and what is left when a server has closed."""

import asyncio
import http.client
import json
import socket
import threading
import time
import warnings
from contextlib import ExitStack

import openai
import pytest
from tests.runners.faults.questions import asynchronous, client, question

from habitus_runners.faults import FaultServer, Hang, Huge, Latency, Limits, Mixture, Status, TooMany, question_key


def _address(server):
    host, port = server.url.removeprefix("http://").removesuffix("/v1").split(":")
    return host, int(port)


def _post(server, body, headers=()):
    connection = http.client.HTTPConnection(*_address(server), timeout=10)
    connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json", **dict(headers)})
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply.status, content


def _until(holds):
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.01)
    pytest.fail("expected it to hold within ten seconds")


async def _ask_all(url, questions):
    async with asynchronous(url) as made:

        async def ask(each):
            while True:
                try:
                    return await made.chat.completions.create(**each)
                except (openai.RateLimitError, openai.InternalServerError):
                    await asyncio.sleep(0.01)

        return await asyncio.gather(*(ask(each) for each in questions))


def test_two_hundred_are_answered(fault_server):
    server = fault_server(Mixture([(TooMany(), 0.1), (Status(), 0.05)]), latency_s=0.2)
    questions = [question(seed=number) for number in range(200)]
    asyncio.run(_ask_all(server.url, questions))
    assert server.paid == {question_key(each): 1 for each in questions}
    assert len(server.calls) > 200


def test_two_hundred_wait_while_others_are_served(fault_server):
    server = fault_server(Hang())
    body = json.dumps(question()).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    with ExitStack() as waiting, client(server.url) as made:
        for _ in range(200):
            waiting.enter_context(socket.create_connection(_address(server))).sendall(head % len(body) + body)
        _until(lambda: server.summary()["most_open"] == 200)
        assert made.models.list().data
    assert not server.paid


def test_calls_beyond_those_at_once_are_refused(fault_server):
    server = fault_server(limits=Limits(at_once=4), latency_s=(0.01, 0.05))
    asyncio.run(_ask_all(server.url, [question(seed=number) for number in range(30)]))
    assert server.paid.total() == 30
    assert {call.status for call in server.calls} == {200, 429}


def test_a_connection_serves_many_calls_one_after_another(fault_server):
    server = fault_server()
    body = json.dumps(question()).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n" % len(body)
    with socket.create_connection(_address(server), timeout=10) as raw:
        raw.sendall((head + b"\r\n" + body) * 2 + head + b"connection: close\r\n\r\n" + body)
        replies = b"".join(iter(lambda: raw.recv(65_536), b""))
    assert replies.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert server.paid.total() == 3


def test_a_client_may_ask_before_it_sends(fault_server):
    body = json.dumps(question()).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n"
    with socket.create_connection(_address(fault_server()), timeout=10) as raw:
        raw.sendall(head + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body))
        assert raw.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        raw.sendall(body)
        assert b"".join(iter(lambda: raw.recv(65_536), b"")).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("body", [b"{half", b"[1]", b"{}", b'{"model": "m", "messages": [], "stream": true}'])
def test_a_request_that_makes_no_sense_is_refused(fault_server, body):
    server = fault_server()
    status, content = _post(server, body)
    assert status == 400
    assert json.loads(content)["error"]["type"] == "invalid_request_error"
    assert not server.generated


def test_what_is_not_http_is_refused(fault_server):
    with socket.create_connection(_address(fault_server()), timeout=10) as raw:
        raw.sendall(b"hello\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 400 Bad Request")


def test_routes_are_found_behind_any_prefix(fault_server):
    server = fault_server()
    azure = server.url.removesuffix("/v1")
    with openai.AzureOpenAI(azure_endpoint=azure, api_key="azure-key", api_version="2024-10-21", max_retries=0) as made:
        assert made.chat.completions.create(**question()).choices
    with client(server.url) as made:
        assert [model.id for model in made.models.list()] == ["fault-1"]
        assert made.models.retrieve("fault-1").id == "fault-1"
        with pytest.raises(openai.NotFoundError):
            made.models.retrieve("fault-2")
        with pytest.raises(openai.NotFoundError):
            made.get("/nowhere", cast_to=object)
    assert "azure-key" in server.keys


def test_an_answer_that_the_client_did_not_wait_for_is_not_paid(fault_server):
    server = fault_server([Latency(5.0), Huge()])
    body = json.dumps(question()).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    for expected in (b"", b"HTTP/1.1 200 OK"):
        with socket.create_connection(_address(server), timeout=10) as raw:
            raw.sendall(head % len(body) + body)
            assert raw.recv(len(expected)) == expected
            if not expected:
                _until(lambda: server.calls)
    assert _post(server, body)[0] == 200
    _until(lambda: server.calls[2].finished and server.paid.total() == 1)
    assert server.generated.total() == 3
    assert server.paid.total() == 1
    assert [call.finished for call in server.calls] == [False, False, True]


def test_the_log_can_be_asked_for(fault_server):
    server = fault_server()
    _post(server, json.dumps(question()).encode())
    connection = http.client.HTTPConnection(*_address(server), timeout=10)
    connection.request("GET", "/faults/log")
    told = json.loads(connection.getresponse().read())
    connection.close()
    assert told == server.summary()
    assert told["paid"] == {question_key(question()): 1}


def test_a_closed_server_leaves_nothing_behind():
    before = threading.active_count()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with FaultServer(Hang()) as server, socket.create_connection(_address(server), timeout=10) as raw:
            raw.sendall(b"GET /v1/models HTTP/1.1\r\n\r\n")
            assert raw.recv(100)
            server.close()
            server.close()
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(_address(server), timeout=10)


def test_a_port_that_is_taken_is_said(fault_server):
    port = _address(fault_server())[1]
    with pytest.raises(OSError, match="address already in use"):
        FaultServer(port=port).start()
    assert not [thread for thread in threading.enumerate() if thread.name == "fault server"][1:]


def test_a_plan_that_raises_is_heard_of():
    def plan(asked):
        raise KeyError(asked.number)

    with pytest.raises(ExceptionGroup, match="expected a plan that decides") as caught, FaultServer(plan) as server:
        assert _post(server, json.dumps(question()).encode())[0] == 500
    assert caught.group_contains(KeyError)
