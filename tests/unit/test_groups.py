from jupyterhub import orm
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from notehive.hub.groups import drop_former_members, groups_to_load


def test_members_that_the_settings_no_longer_name_are_dropped() -> None:
    engine = create_engine("sqlite:///:memory:")
    orm.Base.metadata.create_all(engine)
    db = Session(engine)
    ana, ben, eva = (orm.User(name=name) for name in ("ana", "ben", "eva"))
    before = groups_to_load({"risk": ["ana", "ben"], "gone": ["ana"]})
    risk = orm.Group(name="risk", properties=before["risk"]["properties"])
    gone = orm.Group(name="gone", properties=before["gone"]["properties"])
    by_hand = orm.Group(name="by-hand")
    risk.users = [ana, ben, eva]  # eva was added by the command line
    gone.users = by_hand.users = [ana]
    db.add_all([risk, gone, by_hand])
    db.commit()

    drop_former_members(db, {"risk": ["ben"]})

    assert [user.name for user in risk.users] == ["ben", "eva"]
    assert gone.users == []
    assert by_hand.users == [ana]
