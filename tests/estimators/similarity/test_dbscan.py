from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import DBSCAN
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics import adjusted_rand_score
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from memfeat.estimators.similarity.dbscan import PUBLISHED_EPS, PUBLISHED_SETTINGS, ContextClusters
from memfeat.estimators.similarity.neighbourhood import choose_eps

Groups = tuple[np.ndarray, np.ndarray]


def quick(**parameters: object) -> ContextClusters:
    return ContextClusters(**{"tsne_max_iter": 300, **parameters})


@pytest.fixture(scope="module")
def scattered(blobs: Groups) -> np.ndarray:
    """The groups, with twelve rows that belong to none."""
    return np.vstack([blobs[0], np.random.default_rng(5).uniform(-40, 40, size=(12, 8))])


@pytest.fixture(scope="module")
def noisy(scattered: np.ndarray) -> ContextClusters:
    """Fitted so that a fair share of the rows is noise."""
    return quick(eps="most-clusters").fit(scattered)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("seed", [0, 4])
def test_it_is_scikit_learns_pieces_one_after_the_other(scattered: np.ndarray, seed: int) -> None:
    train = scattered[::2]
    pca = PCA(6, whiten=True, svd_solver="randomized", random_state=seed).fit(train)
    ours = ContextClusters(6, eps="most-clusters", tsne_max_iter=300, random_state=seed).fit(train)
    scores = ours.pca_.transform(scattered)
    np.testing.assert_allclose(scores, pca.transform(scattered), atol=1e-8)
    start = (1e-4 * scores[::2, :3]).astype(np.float32)
    with threadpool_limits(limits=1, user_api="openmp"):
        tsne = TSNE(3, perplexity=(len(train) - 1) / 3, init=start, max_iter=300, random_state=seed)
        embedding = tsne.fit_transform(scores[::2])
    np.testing.assert_array_equal(ours.embedding_, embedding)
    labels = DBSCAN(eps=ours.eps_, min_samples=5).fit(embedding.astype(float)).labels_
    np.testing.assert_array_equal(ours.labels_, labels)
    assert labels.max() >= 1
    network = MLPClassifier((100,), max_iter=500, random_state=seed).fit(scores[::2], labels)
    np.testing.assert_array_equal(ours.predict(scattered), network.predict(scores))
    np.testing.assert_array_equal(
        ours.transform(scattered), np.eye(labels.max() + 2)[network.predict(scores)]
    )


def test_separated_groups_are_found_and_recognised(blobs: Groups) -> None:
    rows, groups = blobs
    context = quick(eps="k-distance").fit(rows)
    assert adjusted_rand_score(groups, context.labels_) > 0.95
    # New members of the groups, further out than most.
    new = np.eye(8)[groups] * 20 + 2.0 * np.random.default_rng(9).normal(size=rows.shape)
    assert adjusted_rand_score(groups, context.predict(new)) > 0.95


def test_attributes_describe_the_fit(noisy: ContextClusters, scattered: np.ndarray) -> None:
    labels = noisy.labels_
    assert noisy.n_clusters_ == len(set(labels.tolist()) - {-1}) == labels.max() + 1
    assert 0 < noisy.noise_share_ == (labels == -1).mean() < 1
    assert noisy.eps_ == choose_eps(noisy.embedding_.astype(float), min_samples=5, rule="most-clusters")
    assert noisy.agreement_ == (noisy.predict(scattered) == labels).mean()
    assert not hasattr(noisy.classifier_, "_optimizer")


def test_noise_has_the_last_column(noisy: ContextClusters, scattered: np.ndarray) -> None:
    columns, labels = noisy.transform(scattered), noisy.predict(scattered)
    assert columns.shape == (172, noisy.n_clusters_ + 1)
    np.testing.assert_array_equal(columns.sum(axis=1), 1.0)
    np.testing.assert_array_equal(columns[:, -1], labels == -1)
    np.testing.assert_array_equal(columns.argmax(axis=1)[labels >= 0], labels[labels >= 0])
    assert noisy.get_feature_names_out()[-1] == "noise"


def test_or_by_name_the_last_clusters_column(noisy: ContextClusters, scattered: np.ndarray) -> None:
    published = quick(eps="most-clusters", noise="last-cluster").fit(scattered)
    labels = noisy.predict(scattered)
    merged = np.where(labels == -1, labels.max(), labels)
    np.testing.assert_array_equal(published.transform(scattered), np.eye(noisy.n_clusters_)[merged])


def test_or_none(noisy: ContextClusters, scattered: np.ndarray) -> None:
    zeros = quick(eps="most-clusters", noise="zeros").fit(scattered)
    np.testing.assert_array_equal(zeros.transform(scattered), noisy.transform(scattered)[:, :-1])
    assert len(zeros.get_feature_names_out()) == noisy.n_clusters_


@pytest.mark.parametrize("noise", ["own-column", "last-cluster", "zeros"])
def test_one_more_column_says_whether_there_is_a_cluster(
    noisy: ContextClusters, scattered: np.ndarray, noise: str
) -> None:
    columns = quick(eps="most-clusters", noise=noise, member_bit=True).fit_transform(scattered)
    np.testing.assert_array_equal(columns[:, -1], noisy.predict(scattered) != -1)


def test_fitted_rows_have_the_classifiers_labels_or_by_name_dbscans(videos: np.ndarray) -> None:
    by_classifier = quick(eps="most-clusters").fit(videos)
    by_dbscan = quick(eps="most-clusters", train_labels="dbscan")
    columns = by_dbscan.fit_transform(videos)
    np.testing.assert_array_equal(columns, np.eye(by_dbscan.n_clusters_ + 1)[by_dbscan.labels_])
    np.testing.assert_array_equal(by_dbscan.transform(videos), by_classifier.transform(videos))


def test_where_the_network_errs_the_two_differ() -> None:
    rows = np.random.default_rng(1).normal(size=(150, 10))
    context = quick(eps="most-clusters", train_labels="dbscan", min_samples=3, n_components=2)
    columns = context.fit_transform(rows)
    assert context.agreement_ < 1
    differing = (columns != context.transform(rows)).any(axis=1).mean()
    assert differing == pytest.approx(1 - context.agreement_)


def test_published_settings_are_in_use(scattered: np.ndarray) -> None:
    context = quick(**PUBLISHED_SETTINGS)
    columns = context.fit_transform(scattered)
    np.testing.assert_array_equal(columns, np.eye(context.n_clusters_)[context.labels_])
    assert PUBLISHED_EPS == {"hrnet": 1.25, "csn": 0.9}


@pytest.mark.parametrize(
    ("noise", "name", "value"),
    [("own-column", "noise", 1), ("last-cluster", "noise", 1), ("zeros", "noise", 0)],
)
def test_all_noise_is_one_column_and_a_warning(videos: np.ndarray, noise: str, name: str, value: int) -> None:
    context = quick(eps=1e-6, noise=noise, member_bit=True)
    with pytest.warns(UserWarning, match="all rows are noise at eps=1e-06: there are 0 clusters"):
        columns = context.fit_transform(videos)
    assert columns.tolist() == [[value, 0]] * 120
    assert context.get_feature_names_out().tolist() == [name, "in_cluster"]
    assert (context.noise_share_, context.n_clusters_, context.classifier_) == (1.0, 0, None)
    assert (context.transform(videos * 9) == columns).all()


def test_one_cluster_is_a_constant_and_a_warning(videos: np.ndarray) -> None:
    context = quick(eps=1e6)
    with pytest.warns(UserWarning, match="1 cluster holds 120 of 120 rows, and 0 are noise"):
        columns = context.fit_transform(videos)
    assert columns.tolist() == [[1, 0]] * 120
    assert (context.noise_share_, context.agreement_, context.classifier_) == (0.0, 1.0, None)


@pytest.mark.parametrize("rows", [2, 4])
def test_fewer_rows_than_a_cluster_needs_are_noise(videos: np.ndarray, rows: int) -> None:
    context = quick()
    with pytest.warns(UserWarning, match=f"{rows} rows are fewer than min_samples=5"):
        columns = context.fit_transform(videos[:rows])
    assert columns.tolist() == [[1]] * rows
    assert np.isnan(context.eps_)
    with pytest.warns(UserWarning, match="fewer"):
        assert quick(eps=2.0).fit(videos[:rows]).eps_ == 2.0


def test_a_good_fit_warns_of_nothing(blobs: Groups) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick(eps="k-distance").fit(blobs[0])


def test_the_column_of_noise_is_there_without_noise() -> None:
    context = quick(eps=1e6)
    with pytest.warns(UserWarning):
        assert context.fit(np.random.default_rng(0).normal(size=(30, 4))).noise_share_ == 0
    assert context.get_feature_names_out().tolist() == ["cluster0", "noise"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"noise": "drop"}, "noise='drop'; expected one of own-column, last-cluster, zeros"),
        ({"train_labels": "both"}, "train_labels='both'; expected one of classifier, dbscan"),
        ({"eps": 0.0}, "eps=0.0; expected a number above 0"),
        ({"eps": float("nan")}, "eps=nan"),
        ({"eps": "elbow"}, "eps='elbow'; expected a number above 0 or one of k-distance"),
        ({"min_samples": 0}, "min_samples=0"),
        ({"tsne_init": "pca"}, "tsne_init='pca'"),
        ({"perplexity": -1}, "perplexity=-1"),
    ],
)
def test_wrong_parameters_are_named(videos: np.ndarray, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        quick(**wrong).fit(videos)


def test_real_photographs_by_their_gradients(shared_data: Path) -> None:
    """Near copies of a photograph are put where it is, and unrelated noise images change nothing."""
    from PIL import Image

    from memfeat.kernels.hog import hog

    paths = sorted((shared_data / "scenes" / "images").glob("*.jpg"))[:150]
    if not paths:
        pytest.skip(f"no photographs in {shared_data / 'scenes' / 'images'}")

    def pixels(path: Path) -> np.ndarray:
        return np.asarray(Image.open(path).convert("RGB").resize((128, 128)))

    photographs = [pixels(path) for path in paths]
    vectors = np.stack([hog(photograph) for photograph in photographs])
    context = quick(eps="most-clusters").fit(vectors)
    assert context.n_clusters_ >= 3
    assert 0 < context.noise_share_ < 1
    darker = np.stack([hog((0.9 * photograph).astype(np.uint8)) for photograph in photographs[:40]])
    assert (context.predict(darker) == context.predict(vectors[:40])).mean() > 0.9
