import pytest
from council_bacs.credit_reasons import ArucsCode, AwacsCode
from council_bacs.direct_debit_reasons import AddacsCode, AruddCode, AuddisCode, DdicCode
from council_bacs.reasons import AccountState, ReasonCode
from pydantic import TypeAdapter

TABLES: dict[type[ReasonCode], str] = {
    ArucsCode: "0235BC",
    AwacsCode: "03",
    AruddCode: "0123456789AB",
    AddacsCode: "0123BCDER",
    AuddisCode: "123567BCFGHIKLMNOPQ",
    DdicCode: "12345678",
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_the_scheme_s_codes_each_with_its_words(table: type[ReasonCode]) -> None:
    assert "".join(table) == TABLES[table]
    for code in table:
        assert code.words
        assert code.words == code.words.strip(" .")
        assert code.meaning.endswith(".")
        assert code.meaning[0].isupper()


@pytest.mark.parametrize("table", TABLES)
def test_no_two_codes_of_a_table_have_the_same_words(table: type[ReasonCode]) -> None:
    assert len({code.words for code in table}) == len(table)


def test_a_code_is_looked_up_and_travels_as_itself() -> None:
    code = ArucsCode("5")
    assert (code.words, code.account) == ("no account", AccountState.UNKNOWN)
    adapter = TypeAdapter(ArucsCode)
    assert adapter.validate_json('"5"') is code
    assert adapter.dump_json(code) == b'"5"'
    assert adapter.json_schema()["enum"] == ["0", "2", "3", "5", "B", "C"]
    with pytest.raises(ValueError, match="9"):
        ArucsCode("9")


@pytest.mark.parametrize("table", [ArucsCode, AruddCode, AddacsCode, AuddisCode])
def test_a_closed_account_and_a_dead_holder_have_one_code_in_every_table(table: type[ReasonCode]) -> None:
    states = {code.value: code.account for code in table}
    assert [code for code, state in states.items() if state is AccountState.CLOSED] == ["B"]
    assert [code for code, state in states.items() if state is AccountState.HOLDER_DIED] == ["2"]
    assert states["3"] is AccountState.MOVED


def test_what_says_nothing_of_the_account() -> None:
    silent = {ArucsCode.REQUESTED_BY_REMITTER, AruddCode.REFER_TO_PAYER, AddacsCode.CANCELLED_BY_PAYER}
    assert {code.account for code in silent} == {None}
