<?php
/**
 * What WordPress holds of a person: found, copied and erased with core's own exporters and erasers, by core's own requests.
 *
 * @package Lofte
 */

namespace Lofte;

defined( 'ABSPATH' ) || exit;

final class Privacy {
	const META       = '_lofte_request';
	const MOST_PAGES = 500;

	public static function start(): void {
		add_action( 'admin_init', array( __CLASS__, 'policy_text' ) );
		add_filter( 'wp_privacy_personal_data_exporters', array( __CLASS__, 'exporters' ) );
		add_filter( 'wp_privacy_personal_data_erasers', array( __CLASS__, 'erasers' ), PHP_INT_MAX );
	}

	public static function policy_text(): void {
		if ( ! function_exists( 'wp_add_privacy_policy_content' ) ) {
			return;
		}
		$settings = Kit::settings();
		$address  = home_url( '/lofte/policy/' . rawurlencode( $settings['market'] ) . '/' . rawurlencode( $settings['locale'] ) . '/' );
		$text     = '<p class="privacy-policy-tutorial">' . esc_html__( 'The policy itself is published by Löfte, with the state of every promise. Link to it from this page instead of copying it: a copy grows old.', 'lofte' ) . '</p>'
			. '<p><a href="' . esc_url( $address ) . '">' . esc_html__( 'Our privacy policy', 'lofte' ) . '</a></p>';
		wp_add_privacy_policy_content( 'Löfte', wp_kses_post( $text ) );
	}

	/** A copy made in wp-admin says that Löfte holds the rest; Löfte copies it for the person, who proves who they are there. */
	public static function exporters( $exporters ) {
		$exporters['lofte'] = array(
			'exporter_friendly_name' => 'Löfte',
			'callback'               => static function () {
				return array(
					'data' => array(
						array(
							'group_id'    => 'lofte',
							'group_label' => 'Löfte',
							'item_id'     => 'lofte-elsewhere',
							'data'        => array( array( 'name' => __( 'Everything else we hold', 'lofte' ), 'value' => home_url( '/my/' ) ) ),
						),
					),
					'done' => true,
				);
			},
		);
		return $exporters;
	}

	public static function erasers( $erasers ) {
		$erasers['lofte-account'] = array(
			'eraser_friendly_name' => __( 'Account of a reader', 'lofte' ),
			'callback'             => array( __CLASS__, 'erase_account' ),
		);
		return $erasers;
	}

	/** Core erases no accounts. One that may only read and wrote nothing goes; any other is kept, and said. */
	public static function erase_account( $email, $page = 1 ): array {
		$user    = get_user_by( 'email', $email );
		$removed = false;
		$kept    = array();
		if ( $user ) {
			$may   = array_keys( array_filter( $user->allcaps ) );
			$extra = array_diff( $may, array_merge( array( 'read', 'level_0' ), $user->roles ) );
			if ( ! $extra && 0 === (int) count_user_posts( $user->ID, get_post_types( array( 'public' => true ) ) ) && ! is_multisite() ) {
				require_once ABSPATH . 'wp-admin/includes/user.php';
				$removed = wp_delete_user( $user->ID );
			}
			if ( ! $removed ) {
				$kept[] = __( 'The account works on this site or wrote for it: an administrator decides about it under Users.', 'lofte' );
			}
		}
		return array( 'items_removed' => $removed, 'items_retained' => (bool) $kept, 'messages' => $kept, 'done' => true );
	}

	/**
	 * Everything core and plugins hold, as their exporters tell it: where, and name and value of each piece.
	 *
	 * @return array<int, array{where: string, id: string, values: array<int, array{name: string, value: string}>}>
	 */
	public static function records( string $email ): array {
		$records   = array();
		$exporters = apply_filters( 'wp_privacy_personal_data_exporters', array() );
		unset( $exporters['lofte'] );
		foreach ( $exporters as $exporter ) {
			for ( $page = 1; $page <= self::MOST_PAGES; $page++ ) {
				$answer = call_user_func( $exporter['callback'], $email, $page );
				if ( is_wp_error( $answer ) || ! is_array( $answer ) || ! isset( $answer['data'], $answer['done'] ) ) {
					throw new \RuntimeException( 'exporter' );
				}
				foreach ( $answer['data'] as $item ) {
					// Our own book-keeping of requests is none of what the person left here.
					$values = array();
					foreach ( (array) $item['data'] as $pair ) {
						$value = is_scalar( $pair['value'] ?? '' ) ? (string) ( $pair['value'] ?? '' ) : wp_json_encode( $pair['value'] );
						if ( '' !== $value ) {
							$values[] = array( 'name' => (string) ( $pair['name'] ?? '' ), 'value' => wp_strip_all_tags( $value ) );
						}
					}
					if ( $values ) {
						$records[] = array( 'where' => (string) $item['group_id'], 'id' => (string) $item['item_id'], 'values' => $values );
					}
				}
				if ( $answer['done'] ) {
					break;
				}
			}
		}
		return $records;
	}

	/**
	 * Where an address still stands, asked of the tables themselves: not of the exporters, who may forget.
	 *
	 * @return array<string, int>
	 */
	public static function left( string $email ): array {
		global $wpdb;
		$places = array(
			'comments.comment_author_email' => "SELECT COUNT(*) FROM $wpdb->comments WHERE LOWER(TRIM(comment_author_email)) = %s",
			'comments.comment_content'      => "SELECT COUNT(*) FROM $wpdb->comments WHERE LOWER(comment_content) LIKE %s",
			'commentmeta.meta_value'        => "SELECT COUNT(*) FROM $wpdb->commentmeta WHERE LOWER(meta_value) LIKE %s",
			'users.user_email'              => "SELECT COUNT(*) FROM $wpdb->users WHERE LOWER(TRIM(user_email)) = %s",
			'usermeta.meta_value'           => "SELECT COUNT(*) FROM $wpdb->usermeta WHERE LOWER(meta_value) LIKE %s",
			'posts.post_content'            => "SELECT COUNT(*) FROM $wpdb->posts WHERE post_type <> 'user_request' AND LOWER(post_content) LIKE %s",
			'postmeta.meta_value'           => "SELECT COUNT(*) FROM $wpdb->postmeta JOIN $wpdb->posts ON ID = post_id WHERE post_type <> 'user_request' AND LOWER(meta_value) LIKE %s",
			'requests'                      => "SELECT COUNT(*) FROM $wpdb->posts WHERE post_type = 'user_request' AND LOWER(post_title) = %s",
		);
		$address = strtolower( trim( $email ) );
		$found   = array();
		foreach ( $places as $where => $query ) {
			$needle = false === strpos( $query, 'LIKE' ) ? $address : '%' . $wpdb->esc_like( $address ) . '%';
			$count  = $wpdb->get_var( $wpdb->prepare( $query, $needle ) ); // phpcs:ignore WordPress.DB -- the queries stand above.
			if ( null === $count ) {
				throw new \RuntimeException( 'database' );
			}
			if ( (int) $count > 0 ) {
				$found[ $where ] = (int) $count;
			}
		}
		return $found;
	}

	/**
	 * Carry out a request: core's own post of it, confirmed by Löfte, worked off page by page. The same id again does it once more
	 * on the same request: what is gone stays gone.
	 *
	 * @return array<string, mixed>
	 */
	public static function carry_out( string $id, string $what, string $email ): array {
		$request = self::request_of( $id );
		if ( ! $request ) {
			$action = 'erase' === $what ? 'remove_personal_data' : 'export_personal_data';
			$made   = wp_create_user_request( $email, $action, array( 'lofte' => $id ), 'confirmed' );
			if ( is_wp_error( $made ) ) {
				throw new \RuntimeException( (string) $made->get_error_code() );
			}
			update_post_meta( $made, self::META, $id );
			$request = $made;
		}
		$outcome = 'erase' === $what ? self::erased( $email ) : array( 'records' => self::records( $email ) );
		wp_update_post( array( 'ID' => $request, 'post_status' => 'request-completed' ) );
		update_post_meta( $request, '_wp_user_request_completed_timestamp', time() );
		if ( 'erase' === $what ) {
			do_action( 'wp_privacy_personal_data_erased', $request );
			self::anonymise( $email );
		}
		return array( 'id' => $id, 'status' => 'request-completed' ) + $outcome;
	}

	/** @return array<string, mixed> */
	private static function erased( string $email ): array {
		$sum     = array( 'removed' => false, 'retained' => false, 'messages' => array() );
		$erasers = apply_filters( 'wp_privacy_personal_data_erasers', array() );
		foreach ( $erasers as $eraser ) {
			for ( $page = 1; $page <= self::MOST_PAGES; $page++ ) {
				$answer = call_user_func( $eraser['callback'], $email, $page );
				if ( is_wp_error( $answer ) || ! isset( $answer['items_removed'], $answer['items_retained'], $answer['messages'], $answer['done'] ) ) {
					throw new \RuntimeException( 'eraser' );
				}
				$sum['removed']  = $sum['removed'] || $answer['items_removed'];
				$sum['retained'] = $sum['retained'] || $answer['items_retained'];
				$sum['messages'] = array_merge( $sum['messages'], array_map( 'wp_strip_all_tags', (array) $answer['messages'] ) );
				if ( $answer['done'] ) {
					break;
				}
			}
		}
		return $sum;
	}

	/** Core keeps the address of every request as its title. Of a person who is erased, only that there was one. */
	private static function anonymise( string $email ): void {
		global $wpdb;
		$requests = $wpdb->get_col( $wpdb->prepare( "SELECT ID FROM $wpdb->posts WHERE post_type = 'user_request' AND LOWER(post_title) = %s", strtolower( trim( $email ) ) ) ); // phpcs:ignore WordPress.DB
		foreach ( $requests as $request ) {
			$wpdb->update( $wpdb->posts, array( 'post_title' => 'erased-' . $request, 'post_name' => 'erased-' . $request, 'post_author' => 0 ), array( 'ID' => $request ) ); // phpcs:ignore WordPress.DB
			$file = get_post_meta( (int) $request, '_export_file_name', true );
			if ( $file ) {
				wp_delete_file( wp_privacy_exports_dir() . basename( $file ) );
				delete_post_meta( (int) $request, '_export_file_name' );
			}
			clean_post_cache( (int) $request );
		}
	}

	public static function request_of( string $id ): int {
		$found = get_posts( array( 'post_type' => 'user_request', 'post_status' => 'any', 'numberposts' => 1, 'fields' => 'ids', 'meta_key' => self::META, 'meta_value' => $id, 'suppress_filters' => true ) ); // phpcs:ignore WordPress.DB.SlowDBQuery
		return $found ? (int) $found[0] : 0;
	}
}
